import { setTimeout } from "node:timers/promises";
import { isTerminal, RunEventsError } from "@tm/run-events-core";
import type { PlainLanding } from "@tm/run-events-core/store";
import type { DueKind } from "../../../core/src/rules/due.ts";
import type { Journal } from "./journal.ts";
import type { JournalStore } from "./journal-store.ts";
import {
  aheadMs,
  appendEach,
  changeAs,
  changeEach,
  LOCK,
  mapHead,
  type ProcessMutant,
  withoutKey,
} from "./process-mutant.ts";

const LOCKED_MS = 1;

/** Lists runs that wait for this by the clock of the process. */
function listByOwnClock(store: JournalStore, journal: Journal, kind: DueKind): void {
  const { list } = store;
  store.list = (query) =>
    "due" in query && query.due === kind
      ? list({ ...query, forMs: query.forMs - aheadMs(journal) })
      : list(query);
}

/** Stores that only look whole to one process. */
export const sharingMutants: readonly ProcessMutant[] = [
  {
    name: "counts the sequences of a run in each process",
    clause: "S1",
    spoil(store) {
      const known = new Set<string>();
      appendEach(store, (plain) =>
        store.inTurn(async () => {
          // It has to know the run at least.
          if (!known.has(plain.runId)) await store.catchUp();
          known.add(plain.runId);
          return store.appendBlindly(plain);
        }),
      );
    },
  },
  {
    name: "commits a batch event by event",
    clause: "S2",
    spoil(store) {
      const { append } = store;
      appendEach(store, async (plain) => {
        let first: PlainLanding | null = null;
        let last: PlainLanding | null = null;
        for (const event of plain.events) {
          [last = null] = await append([{ ...plain, events: [event] }]);
          first ??= last;
        }
        return first && last && { ...last, firstSequence: first.firstSequence };
      });
    },
  },
  {
    name: "decides about a run by what it was a moment ago",
    clause: "S5",
    spoil(store) {
      changeEach(store, (change) =>
        store.inTurn(async () => {
          await store.catchUp();
          await setTimeout(LOCKED_MS);
          return store.changeBlindly(change);
        }),
      );
    },
  },
  {
    name: "does not see in whose place the runs of other processes are",
    clause: "S21",
    spoil(store) {
      const { catchUp } = store;
      store.catchUp = () =>
        catchUp((entry) =>
          mapHead(entry, (head, isNew) => (isNew ? { ...head, topic: null } : head)),
        );
    },
  },
  {
    name: "keeps the place of a topic for the run that had it last",
    clause: "S21",
    spoil(store) {
      const holders = new Map<string, string>();
      changeAs(store, {
        see(seen, { ownerId, runId, topic }) {
          const holder = holders.get(topic ?? "") ?? runId;
          const isFinished = seen.head !== null && isTerminal(seen.head.runStatus);
          return topic && isFinished && holder !== runId
            ? { ...seen, head: null, holder: { ownerId, runId: holder } }
            : seen;
        },
        commit(decision, { head }, { topic, runId }) {
          if (head === null && topic) holders.set(topic, runId);
          return decision;
        },
      });
    },
  },
  {
    name: "refuses an append while another process appends",
    clause: "S4",
    spoil(store, journal) {
      appendEach(store, async (plain) => {
        try {
          journal.keep(LOCK, process.pid);
        } catch (cause) {
          throw new RunEventsError("store_unavailable", "It is locked.", { cause });
        }
        await setTimeout(LOCKED_MS);
        await store.catchUp();
        const landing = await store.appendBlindly(plain);
        journal.drop(LOCK);
        return landing;
      });
    },
  },
  {
    name: "knows only the keys of its own process",
    clause: "S5",
    spoil(store) {
      const { catchUp } = store;
      store.catchUp = () => catchUp(withoutKey);
    },
  },
  {
    name: "does not see the leases that other processes gave",
    clause: "S5",
    spoil(store) {
      const own = new Set<number>();
      changeAs(store, {
        see: (seen) =>
          seen.head === null || own.has(seen.head.fence)
            ? seen
            : { ...seen, head: { ...seen.head, leaseExpiresAtMs: null } },
        commit(decision) {
          if (decision.after) own.add(decision.after.fence);
          return decision;
        },
      });
    },
  },
  {
    name: "reads from what its process had seen when it last appended",
    clause: "S10",
    spoil(store) {
      let count = 0;
      store.read = (queries) =>
        store.inTurn(async () => {
          if ((count += 1) % 4 === 1) await store.catchUp();
          return store.readBlindly(queries);
        });
    },
  },
  {
    name: "counts leases by the clock of its process",
    clause: "S21",
    spoil(store, journal) {
      changeAs(store, {
        // A claim wants the metadata, and an append does not.
        see: (seen, { wantsMetadata = false }) =>
          wantsMetadata && seen.head !== null
            ? { ...seen, nowMs: seen.nowMs + aheadMs(journal) }
            : seen,
      });
    },
  },
  {
    name: "counts how old runs are by the clock of its process",
    clause: "S21",
    spoil(store, journal) {
      listByOwnClock(store, journal, "finished");
      changeAs(store, {
        see: (seen) =>
          seen.head !== null && isTerminal(seen.head.runStatus)
            ? { ...seen, nowMs: seen.nowMs + aheadMs(journal) }
            : seen,
      });
    },
  },
  {
    name: "lists expired runs by the clock of its process",
    clause: "S21",
    spoil: (store, journal) => listByOwnClock(store, journal, "leased"),
  },
  {
    name: "notifies only for what its own process commits",
    clause: "S13",
    spoil(store) {
      store.seesOthers = false;
    },
  },
  {
    name: "counts ordinals in each process",
    clause: "S16",
    spoil(store) {
      changeEach(store, (change) => store.inTurn(() => store.changeBlindly(change)));
    },
  },
];

import { setTimeout } from "node:timers/promises";
import { isTerminal, RunEventsError } from "@tm/run-events-core";
import {
  createNotifier,
  nameKey,
  type PlainLanding,
  type RunEventStore,
  type Seen,
} from "@tm/run-events-core/store";
import type { DueKind } from "../../../core/src/rules/due.ts";
import { changeInSteps } from "../mutants/in-steps.ts";
import { aroundWrites, mapChanges, plainAlone, subscribeBy } from "../mutants/inner-store.ts";
import type { Faults } from "../mutants/mutant.ts";
import {
  appendEach,
  hideReceipts,
  LOCK,
  type ProcessFault,
  type Shared,
} from "./process-mutant.ts";

const LOCKED_MS = 1;

/** Lists runs that wait for this by the clock of the process. */
function listByOwnClock(
  { list }: RunEventStore,
  { aheadMs }: Shared,
  kind: DueKind,
): Pick<RunEventStore, "list"> {
  return {
    list: (query) =>
      "due" in query && query.due === kind
        ? list({ ...query, forMs: query.forMs - aheadMs })
        : list(query),
  };
}

function later(seen: Seen, { aheadMs }: Shared): Seen {
  return { ...seen, nowMs: seen.nowMs + aheadMs };
}

/** Stores that only look whole to one process. */
export const sharingFaults: Faults<ProcessFault> = {
  "S1 counts the sequences of a run in each process"(store) {
    const counts = new Map<string, number>();
    return appendEach(async (plain) => {
      const landing = await plainAlone(store, plain);
      if (landing === null) return null;
      const before = counts.get(nameKey(plain)) ?? landing.firstSequence - 1;
      const lastSequence = before + plain.events.length;
      counts.set(nameKey(plain), lastSequence);
      return { ...landing, firstSequence: before + 1, lastSequence };
    });
  },
  "S2 commits a batch event by event": (store) =>
    appendEach(async (plain) => {
      let first: PlainLanding | null = null;
      let last: PlainLanding | null = null;
      for (const event of plain.events) {
        last = await plainAlone(store, { ...plain, events: [event] });
        first ??= last;
      }
      return first && last && { ...last, firstSequence: first.firstSequence };
    }),
  "S5 decides about a run by what it was a moment ago": (store) => changeInSteps(store, () => true),
  "S21 does not see in whose place the runs of other processes are"(store) {
    const own = new Set<string>();
    return mapChanges(store, {
      see: (seen) =>
        seen.holder === null || own.has(nameKey(seen.holder)) ? seen : { ...seen, holder: null },
      commit(decision, { head }, change) {
        if (head === null) own.add(nameKey(change));
        return decision;
      },
    });
  },
  "S21 keeps the place of a topic for the run that had it last"(store) {
    const holders = new Map<string, string>();
    return mapChanges(store, {
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
  "S4 refuses an append while another process appends": (store, { keep, drop }) =>
    appendEach(async (plain) => {
      if (!(await keep(LOCK, process.pid))) {
        throw new RunEventsError("store_unavailable", "It is locked.");
      }
      await setTimeout(LOCKED_MS);
      const landing = await plainAlone(store, plain);
      await drop(LOCK);
      return landing;
    }),
  "S5 knows only the keys of its own process"(store) {
    const own = new Set<string>();
    const hiding = hideReceipts(store, (_, name, key) => !own.has(`${nameKey(name)} ${key}`));
    return {
      ...appendEach(async (plain) => {
        const landing = await plainAlone(store, plain);
        if (landing !== null) own.add(`${nameKey(plain)} ${plain.idempotencyKey}`);
        return landing;
      }),
      ...mapChanges(
        { ...store, ...hiding },
        {
          commit(decision, _, change) {
            for (const { idempotencyKey } of decision.receipts ?? []) {
              own.add(`${nameKey(change)} ${idempotencyKey}`);
            }
            return decision;
          },
        },
      ),
    };
  },
  "S5 does not see the leases that other processes gave"(store) {
    const own = new Set<number>();
    return mapChanges(store, {
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
  "S10 reads from what its process had seen when it last appended"(store) {
    let count = 0;
    const pages = new Map<string, ReturnType<RunEventStore["read"]>>();
    return {
      read(queries) {
        if ((count += 1) % 4 === 1) pages.clear();
        const id = JSON.stringify(queries);
        const kept = pages.get(id) ?? store.read(queries);
        pages.set(id, kept);
        return kept;
      },
    };
  },
  "S21 counts leases by the clock of its process": (store, shared) =>
    mapChanges(store, {
      // A claim wants the metadata, and an append does not.
      see: (seen, { wantsMetadata = false }) =>
        wantsMetadata && seen.head !== null ? later(seen, shared) : seen,
    }),
  "S21 counts how old runs are by the clock of its process": (store, shared) => ({
    ...listByOwnClock(store, shared, "finished"),
    ...mapChanges(store, {
      see: (seen) =>
        seen.head !== null && isTerminal(seen.head.runStatus) ? later(seen, shared) : seen,
    }),
  }),
  "S21 lists expired runs by the clock of its process": (store, shared) =>
    listByOwnClock(store, shared, "leased"),
  "S24 takes every time from the clock of its process": (store, shared) => ({
    ...mapChanges(store, { see: (seen) => later(seen, shared) }),
    list: (query) =>
      store.list("due" in query ? { ...query, forMs: query.forMs - shared.aheadMs } : query),
    probe: async () => (await store.probe()) + shared.aheadMs,
  }),
  "S13 notifies only for what its own process commits"(store) {
    const notifier = createNotifier();
    return {
      ...aroundWrites(store, async (names, write) => {
        const answer = await write();
        for (const name of names) notifier.notifyOf(name);
        return answer;
      }),
      ...subscribeBy((...asked) => notifier.add(...asked)),
    };
  },
  "S16 counts ordinals in each process"(store) {
    let last = 0;
    /** The ordinals that the runs really have. */
    const real = new Map<number, number>();
    return mapChanges(store, {
      see(seen) {
        if (seen.head !== null) return seen;
        real.set((last += 1), seen.ordinal);
        return { ...seen, ordinal: last };
      },
      commit: (decision, { head }) =>
        head === null && decision.after
          ? {
              ...decision,
              after: {
                ...decision.after,
                ordinal: real.get(decision.after.ordinal) ?? decision.after.ordinal,
              },
            }
          : decision,
    });
  },
};

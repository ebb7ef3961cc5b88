import { setTimeout } from "node:timers/promises";
import type { Change, DueQuery, Head, RunEventStore } from "@tm/run-events-core/store";
import type { WrittenRun } from "../written-runs.ts";
import type { Entry, Journal } from "./journal.ts";
import type { JournalStore } from "./journal-store.ts";
import {
  changeAs,
  changeEach,
  isAlive,
  mapHead,
  type ProcessMutant,
  withoutKey,
} from "./process-mutant.ts";

/** In here it dies, as a rule. */
const BETWEEN_MS = 60;

/** An entry as a store has it that forgets the keys of inputs. */
function withoutInputKey(entry: Entry): Entry {
  const isInput = "written" in entry && isAnswer(entry.written.events ?? []);
  return isInput ? withoutKey(entry) : entry;
}

function isAnswer(events: readonly { readonly eventType: string }[]): boolean {
  return events[0]?.eventType === "INPUT_RECEIVED";
}

/** Whether this process was the first one to find a run. */
function isFinder(journal: Journal, runId: string): boolean {
  const slot = `finder of ${runId}`;
  try {
    journal.keep(slot, process.pid);
    return true;
  } catch {
    return new Map(journal.kept()).get(slot) === process.pid;
  }
}

/** Keeps of the lists of runs that a reaper ends what this says. */
function keepDue(store: JournalStore, isKept: (head: Head, query: DueQuery) => boolean): void {
  const { list } = store;
  const kept: RunEventStore["list"] = async (query) => {
    const heads = await list(query);
    return "due" in query && query.due !== "finished"
      ? heads.filter((head) => isKept(head, query))
      : heads;
  };
  store.list = kept;
}

/** Stores that only look whole until a process dies that asks, answers, or looks for runs that no worker has. */
export const waitingMutants: readonly ProcessMutant[] = [
  {
    name: "forgets that runs wait when it is opened again",
    clause: "S5",
    spoil: (store) =>
      store.catchUp((entry) =>
        mapHead(entry, (head) =>
          head.runStatus === "waiting" ? { ...head, runStatus: "running" } : head,
        ),
      ),
  },
  {
    name: "forgets the keys of inputs when it is opened again",
    clause: "S5",
    spoil: (store) => store.catchUp(withoutInputKey),
  },
  {
    name: "asks again, under no key, what a dead process was asking",
    clause: "S5",
    async spoil(store, journal) {
      for (const [slot, question] of journal.kept()) {
        const { ownerId, runId, events = [] } = question as WrittenRun;
        await store.catchUp();
        await store.changeBlindly({
          ownerId,
          runId,
          decide({ head }) {
            if (head === null) return { answer: null };
            const lastSequence = head.lastSequence + events.length;
            const after = { ...head, revision: head.revision + 1, lastSequence };
            return { answer: null, after: { ...after, runStatus: "waiting" }, events };
          },
        });
        journal.drop(slot);
      }
      const before = { ...store };
      let count = 0;
      changeEach(store, async <Answer>(change: Change<Answer>) => {
        const slot = `${process.pid} ${(count += 1)}`;
        let asks = false;
        const [answer] = await before.change([
          {
            ...change,
            decide(seen) {
              const { ownerId, runId } = change;
              const decision = change.decide(seen);
              const { events = [], after } = decision;
              asks = after?.runStatus === "waiting" && events.length > 0;
              if (asks) journal.keep(slot, { ownerId, runId, events });
              return decision;
            },
          },
        ]);
        if (asks) {
          await setTimeout(BETWEEN_MS);
          journal.drop(slot);
        }
        return answer as Answer;
      });
    },
  },
  {
    name: "hands an input to the process that has the run, even if that is dead",
    clause: "S5",
    spoil(store, journal) {
      const slotOf = ({ runId, fence }: Head): string => `holder of ${runId} ${fence}`;
      changeAs(store, {
        commit(decision, { head }) {
          const { after, events = [] } = decision;
          if (!after || head === null) return decision;
          if (isAnswer(events) && head.leaseExpiresAtMs !== null) {
            const holder = new Map(journal.kept()).get(slotOf(head));
            return holder === undefined || isAlive(Number(holder)) ? decision : {};
          }
          if (after.fence > head.fence && after.leaseExpiresAtMs !== null) {
            journal.keep(slotOf(after), process.pid);
          }
          return decision;
        },
      });
    },
  },
  {
    name: "shows a run that no worker has to the process alone that finds it first",
    clause: "S23",
    spoil: (store, journal) => keepDue(store, ({ runId }) => isFinder(journal, runId)),
  },
  {
    name: "gives back what dead workers had when it is opened again",
    clause: "S23",
    async spoil(store) {
      for (const { ownerId, runId } of await store.list({
        due: "leased",
        forMs: 0,
        limit: 1_000,
      })) {
        await store.change([
          {
            ownerId,
            runId,
            decide: ({ head }) => ({
              answer: null,
              ...(head && {
                after: { ...head, revision: head.revision + 1, leaseExpiresAtMs: null },
              }),
            }),
          },
        ]);
      }
    },
  },
  {
    name: "lists no run as idle that another process has given back",
    clause: "S23",
    spoil(store) {
      const own = new Set<string>();
      changeAs(store, {
        commit(decision, { head }, { runId }) {
          const { after } = decision;
          if (head?.leaseExpiresAtMs && after?.leaseExpiresAtMs === null) own.add(runId);
          return decision;
        },
      });
      keepDue(store, ({ runId }, { due }) => due === "leased" || own.has(runId));
    },
  },
];

import { setTimeout } from "node:timers/promises";
import {
  type DueQuery,
  type Head,
  nameKey,
  type NewEvent,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import { changeAlone, changesEach, mapChanges, mapHeads, seeNow } from "../mutants/inner-store.ts";
import type { Faults } from "../mutants/mutant.ts";
import { hideReceipts, isAlive, type ProcessFault, runsIn } from "./process-mutant.ts";

/** In here it dies, as a rule. */
const BETWEEN_MS = 500;

/** A question that a process is about to ask. */
interface Question extends RunName {
  readonly events: readonly NewEvent[];
}

function isAnswer(events: readonly { readonly eventType: string }[]): boolean {
  return events[0]?.eventType === "INPUT_RECEIVED";
}

/** Keeps of the lists of runs that a reaper ends what this says. */
function keepDue(
  { list }: RunEventStore,
  isKept: (head: Head, query: DueQuery) => Promise<boolean>,
): Pick<RunEventStore, "list"> {
  return {
    async list(query) {
      const heads = await list(query);
      if (!("due" in query) || query.due === "finished") return heads;
      const isLeft = await Promise.all(heads.map((head) => isKept(head, query)));
      return heads.filter((_, at) => isLeft[at]);
    },
  };
}

/** Stores that only look whole until a process dies that asks, answers, or looks for runs that no worker has. */
export const waitingFaults: Faults<ProcessFault> = {
  async "S5 forgets that runs wait when it is opened again"(store) {
    const before = await runsIn(store);
    const forget = (head: Head): Head =>
      head.runStatus === "waiting" && before.get(nameKey(head))?.lastSequence === head.lastSequence
        ? { ...head, runStatus: "running" }
        : head;
    return {
      ...mapHeads(store, forget),
      ...mapChanges(store, { see: (seen) => ({ ...seen, head: seen.head && forget(seen.head) }) }),
    };
  },
  async "S5 forgets the keys of inputs when it is opened again"(store) {
    const before = await runsIn(store);
    return hideReceipts(store, ({ lastSequence, events }, name) => {
      const known = before.get(nameKey(name));
      return isAnswer(events) && known !== undefined && lastSequence <= known.lastSequence;
    });
  },
  async "S5 asks again, under no key, what a dead process was asking"(store, { keep, drop, kept }) {
    for (const [slot, question] of await kept()) {
      const { events, ...name } = question as Question;
      await changeAlone(store, {
        ...name,
        decide({ head }) {
          if (head === null) return { answer: null };
          const lastSequence = head.lastSequence + events.length;
          const after = { ...head, revision: head.revision + 1, lastSequence };
          return { answer: null, after: { ...after, runStatus: "waiting" }, events };
        },
      });
      await drop(slot);
    }
    let count = 0;
    return changesEach(async (change) => {
      const { ownerId, runId } = change;
      const { after, events = [] } = change.decide(await seeNow(store, change));
      if (after?.runStatus !== "waiting" || events.length === 0) return changeAlone(store, change);
      const slot = `${process.pid} ${(count += 1)}`;
      await keep(slot, { ownerId, runId, events } satisfies Question);
      const answer = await changeAlone(store, change);
      await setTimeout(BETWEEN_MS);
      await drop(slot);
      return answer;
    });
  },
  "S5 hands an input to the process that has the run, even if that is dead": (
    store,
    { keep, kept },
  ) =>
    changesEach(async (change) => {
      const slotOf = ({ runId, fence }: Head): string => `holder of ${runId} ${fence}`;
      const seen = await seeNow(store, change);
      const { answer, events = [] } = change.decide(seen);
      if (isAnswer(events) && seen.head?.leaseExpiresAtMs) {
        const holder = (await kept()).get(slotOf(seen.head));
        if (holder !== undefined && !isAlive(holder)) return answer;
      }
      // A later decision may give another fence than this one.
      const claimed: Head[] = [];
      const { change: noting } = mapChanges(store, {
        commit(decision, { head }) {
          const { after } = decision;
          if (after?.leaseExpiresAtMs && head && after.fence > head.fence) claimed.push(after);
          return decision;
        },
      });
      const made = await changeAlone({ change: noting }, change);
      for (const head of claimed) await keep(slotOf(head), process.pid);
      return made;
    }),
  "S23 shows a run that no worker has to the process alone that finds it first": (
    store,
    { keep, kept },
  ) =>
    keepDue(store, async ({ runId }) => {
      const slot = `finder of ${runId}`;
      return (await keep(slot, process.pid)) || (await kept()).get(slot) === process.pid;
    }),
  async "S23 gives back what dead workers had when it is opened again"(store) {
    for (const { ownerId, runId } of await store.list({ due: "leased", forMs: 0, limit: 1_000 })) {
      await changeAlone(store, {
        ownerId,
        runId,
        decide: ({ head }) => ({
          answer: null,
          ...(head && { after: { ...head, revision: head.revision + 1, leaseExpiresAtMs: null } }),
        }),
      });
    }
    return {};
  },
  "S23 lists no run as idle that another process has given back"(store) {
    const own = new Set<string>();
    return {
      ...mapChanges(store, {
        commit(decision, { head }, { runId }) {
          const { after } = decision;
          if (head?.leaseExpiresAtMs && after?.leaseExpiresAtMs === null) own.add(runId);
          return decision;
        },
      }),
      ...keepDue(store, async ({ runId }, { due }) => due === "leased" || own.has(runId)),
    };
  },
};

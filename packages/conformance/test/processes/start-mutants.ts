import { setTimeout } from "node:timers/promises";
import { type Change, type Head, nameKey, runOf } from "@tm/run-events-core/store";
import { changeAlone, changesEach, mapChanges } from "../mutants/inner-store.ts";
import type { Faults } from "../mutants/mutant.ts";
import { type ProcessFault, runsIn, withoutClaimKey } from "./process-mutant.ts";

/** In here it dies, as a rule. */
const BETWEEN_MS = 10;
/** The time that it waits for a run that is to get a place. */
const WAITED_MS = 600;
/** The time that it takes to create a run whose place it has: mostly it dies meanwhile. */
const CREATING_MS = 40;
const LOOK_AGAIN_MS = 5;
const MINUTE_MS = 60_000;

/** The change, which sees this run in the topic's place. */
function refusedFor<Answer>(change: Change<Answer>, holder: string | null): Change<Answer> {
  const place = holder === null ? null : { ownerId: change.ownerId, runId: holder };
  return {
    ...change,
    decide: (seen) =>
      change.decide({ ...seen, head: place === null ? seen.head : null, holder: place }),
  };
}

/** Stores that create and end exclusive runs, or runs with a claim, wrongly when processes die or their clocks are turned. */
export const startFaults: Faults<ProcessFault> = {
  "S21 keeps a topic's place for a process that died before it created the run": (
    store,
    { keep, drop, kept },
  ) =>
    changesEach(async (change) => {
      const { runId, topic } = change;
      if (!topic) return changeAlone(store, change);
      const slot = `place of ${topic}`;
      const giveUpAtMs = Date.now() + WAITED_MS;
      while (!(await keep(slot, runId))) {
        const holder = (await kept()).get(slot);
        if (typeof holder === "string" && Date.now() > giveUpAtMs) {
          return changeAlone(store, refusedFor(change, holder));
        }
        await setTimeout(LOOK_AGAIN_MS);
      }
      await setTimeout(CREATING_MS);
      const answer = await changeAlone(store, change);
      await drop(slot);
      return answer;
    }),
  async "S21 forgets whose places are taken when it is opened again"(store) {
    const before = await runsIn(store);
    return mapChanges(store, {
      see: (seen) =>
        seen.holder !== null && before.has(nameKey(seen.holder)) ? { ...seen, holder: null } : seen,
    });
  },
  "S21 takes a run for dead whose creation is long ago by the clock of its process": (store) =>
    changesEach(async (change) => {
      const { ownerId, topic = null } = change;
      const live = { ownerId, topic, runStatus: "live", before: null, limit: 1 } as const;
      const [holder] = topic === null ? [] : await store.list(live);
      const isOld = holder && Date.now() > runOf(holder).createdAtMs + MINUTE_MS;
      return changeAlone(store, isOld ? refusedFor(change, null) : change);
    }),
  "S21 creates a run in one entry and claims it in another": (store) =>
    changesEach(async (change) => {
      let claimed: Head | null = null;
      const { change: create } = mapChanges(store, {
        commit(decision, { head }) {
          const { after } = decision;
          if (head !== null || !after || after.leaseExpiresAtMs === null) return decision;
          claimed = after;
          return { ...decision, after: { ...after, leaseExpiresAtMs: null } };
        },
      });
      const answer = await changeAlone({ change: create }, change);
      if (claimed === null) return answer;
      await setTimeout(BETWEEN_MS);
      const { ownerId, runId } = change;
      const after: Head = claimed;
      await changeAlone(store, { ownerId, runId, decide: () => ({ answer: null, after }) });
      return answer;
    }),
  async "S21 forgets under which keys runs were created when it is opened again"(store) {
    const before = await runsIn(store);
    return mapChanges(store, {
      see: (seen) =>
        seen.head !== null && before.has(nameKey(seen.head))
          ? { ...seen, head: withoutClaimKey(seen.head) }
          : seen,
    });
  },
  "S21 gives a creation that another process sends again another lease"(store) {
    const own = new Set<string>();
    return mapChanges(store, {
      see(seen, { topic, runId }) {
        if (!topic || own.has(runId)) return seen;
        own.add(runId);
        return seen.head === null
          ? seen
          : { ...seen, head: withoutClaimKey({ ...seen.head, leaseExpiresAtMs: null }) };
      },
    });
  },
  "S21 counts the lease of a new run by the clock of its process": (store, { aheadMs }) =>
    mapChanges(store, {
      commit(decision, { head }) {
        const { after } = decision;
        if (head !== null || !after || after.leaseExpiresAtMs === null) return decision;
        const leaseExpiresAtMs = after.leaseExpiresAtMs + aheadMs;
        return { ...decision, after: { ...after, leaseExpiresAtMs } };
      },
    }),
};

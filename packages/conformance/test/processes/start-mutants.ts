import { setTimeout } from "node:timers/promises";
import { type Change, type Head, runOf } from "@tm/run-events-core/store";
import {
  aheadMs,
  changeAs,
  changeEach,
  mapHead,
  type ProcessMutant,
  withoutClaimKey,
} from "./process-mutant.ts";

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
export const startMutants: readonly ProcessMutant[] = [
  {
    name: "keeps a topic's place for a process that died before it created the run",
    clause: "S21",
    spoil(store, journal) {
      const before = { ...store };
      changeEach(store, async <Answer>(change: Change<Answer>) => {
        const changed = async (one: Change<Answer>): Promise<Answer> =>
          (await before.change([one]))[0] as Answer;
        if (!change.topic) return changed(change);
        const { runId, topic } = change;
        const slot = `place of ${topic}`;
        const giveUpAtMs = Date.now() + WAITED_MS;
        for (;;) {
          try {
            journal.keep(slot, runId);
            break;
          } catch {
            const holder = new Map(journal.kept()).get(slot);
            if (typeof holder !== "string") continue;
            if (Date.now() > giveUpAtMs) return changed(refusedFor(change, holder));
            await setTimeout(LOOK_AGAIN_MS);
          }
        }
        await setTimeout(CREATING_MS);
        const answer = await changed(change);
        journal.drop(slot);
        return answer;
      });
    },
  },
  {
    name: "forgets whose places are taken when it is opened again",
    clause: "S21",
    spoil: (store) =>
      store.catchUp((entry) =>
        mapHead(entry, (head, isNew) => (isNew ? { ...head, topic: null } : head)),
      ),
  },
  {
    name: "takes a run for dead whose creation is long ago by the clock of its process",
    clause: "S21",
    spoil(store) {
      const before = { ...store };
      changeEach(store, async <Answer>(change: Change<Answer>) => {
        const { ownerId, topic = null } = change;
        const live = { ownerId, topic, runStatus: "live", before: null, limit: 1 } as const;
        const [holder] = topic === null ? [] : await store.list(live);
        const isOld = holder && Date.now() > runOf(holder).createdAtMs + MINUTE_MS;
        const [answer] = await before.change([isOld ? refusedFor(change, null) : change]);
        return answer as Answer;
      });
    },
  },
  {
    name: "creates a run in one entry and claims it in another",
    clause: "S21",
    spoil(store) {
      const before = { ...store };
      changeEach(store, async <Answer>(change: Change<Answer>) => {
        const claimed: Head[] = [];
        const [answer] = await before.change([
          {
            ...change,
            decide(seen) {
              const decision = change.decide(seen);
              const { after } = decision;
              if (seen.head !== null || !after || after.leaseExpiresAtMs === null) return decision;
              claimed.push(after);
              return { ...decision, after: { ...after, leaseExpiresAtMs: null } };
            },
          },
        ]);
        for (const after of claimed) {
          await setTimeout(BETWEEN_MS);
          const { ownerId, runId } = change;
          await before.change([{ ownerId, runId, decide: () => ({ answer: null, after }) }]);
        }
        return answer as Answer;
      });
    },
  },
  {
    name: "forgets under which keys runs were created when it is opened again",
    clause: "S21",
    spoil: (store) => store.catchUp((entry) => mapHead(entry, withoutClaimKey)),
  },
  {
    name: "gives a creation that another process sends again another lease",
    clause: "S21",
    spoil(store) {
      const own = new Set<string>();
      changeAs(store, {
        see(seen, { topic, runId }) {
          if (!topic || own.has(runId)) return seen;
          own.add(runId);
          return seen.head === null
            ? seen
            : { ...seen, head: withoutClaimKey({ ...seen.head, leaseExpiresAtMs: null }) };
        },
      });
    },
  },
  {
    name: "counts the lease of a new run by the clock of its process",
    clause: "S21",
    spoil(store, journal) {
      changeAs(store, {
        commit(decision, { head }) {
          const { after } = decision;
          if (head !== null || !after || after.leaseExpiresAtMs === null) return decision;
          const leaseExpiresAtMs = after.leaseExpiresAtMs + aheadMs(journal);
          return { ...decision, after: { ...after, leaseExpiresAtMs } };
        },
      });
    },
  },
];

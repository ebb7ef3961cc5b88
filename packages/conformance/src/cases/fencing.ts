import type { AppendRequest } from "../core-calls.ts";
import type { KitStore } from "../kit-store.ts";
import { append, appendRequest, event, events, land, landingOf } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { BY_OWNER, claim, claimExpired, LONG_MS, under } from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const FENCED = { outcome: "fenced" };
const RACES = 20;
const CANCEL = [event("RUN_CANCELLED")];
const COMPLETE = [event("TOKEN"), event("RUN_COMPLETED")];

/** Cases of S5 in `STORE.md`: a claimed run takes appends of its fence, and its owner's. */
export const fencing: readonly TrialCase[] = [
  {
    name: "S5 on a claimed run an append without the current fence is refused and changes nothing",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      const first = await claimExpired(trial.store, "run");
      const held = await claim(trial.store, "run");
      await land(trial.store, "run", events(2), under(held));
      const before = await readLog(trial.store, "run");
      const strangers: readonly Pick<AppendRequest, "appender">[] = [
        { appender: { by: "anybody" } },
        under(first),
        under({ fence: held.fence + 1 }),
      ];
      for (const one of stores) {
        for (const stranger of strangers) {
          const conditions = { ...stranger, idempotencyKey: "key", expectedSequence: 2 };
          for (const batch of [events(1), events(3), [event("RUN_COMPLETED")]]) {
            assertEqual(await append(one, "run", batch, conditions), FENCED, "the outcome");
            assertEqual(await append(one, "run", batch, stranger), FENCED, "that of a plain one");
          }
        }
        assertEqual(await readLog(one, "run"), before, "the log");
      }
      // A refused append burns no key.
      const conditions = { ...under(held), idempotencyKey: "key" };
      const landing = await land(trial.store, "run", events(1), conditions);
      assertEqual(landing.firstSequence, 3, "where the key lands at last");
    },
  },
  {
    name: "S5 an unclaimed run takes appends without a fence, and none with one",
    async run({ store }) {
      await createRun(store, "run");
      assertEqual(await append(store, "run", events(1), under({ fence: 1 })), FENCED, "unclaimed");
      await land(store, "run", events(1));
      const held = await claim(store, "run");
      await store.release({ runId: "run", fence: held.fence });
      assertEqual(await append(store, "run", events(1), under(held)), FENCED, "after the release");
      await land(store, "run", events(1));
      assertEqual((await readLog(store, "run")).events.length, 2, "the number of events");
    },
  },
  {
    name: "S5 an expired lease still fences, and its worker may still write, until the run is claimed again",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      await createRun(trial.store, "run");
      const held = await claimExpired(trial.store, "run");
      assertEqual(await append(other, "run", events(1)), FENCED, "an append without a fence");
      await land(other, "run", events(1), under(held));
      const next = await claim(other, "run");
      assertEqual(next.lastSequence, 1, "where the next one goes on from");
      assertEqual(await append(trial.store, "run", events(1), under(held)), FENCED, "the late one");
      await land(trial.store, "run", events(1), under(next));
    },
  },
  {
    name: "S5 a known key comes before the fence, and the fence after finished and before a conflict",
    async run({ store }) {
      await createRun(store, "run");
      const held = await claimExpired(store, "run");
      const keyed = { ...under(held), idempotencyKey: "key" };
      const landing = await land(store, "run", events(2), keyed);
      const next = await claim(store, "run");
      assertEqual(
        await append(store, "run", events(2), keyed),
        { outcome: "replayed", ...landing },
        "the key with its own events",
      );
      assertEqual(
        await append(store, "run", events(1), keyed),
        { outcome: "idempotency_key_reused" },
        "the key with others",
      );
      const wrong = { expectedSequence: 9 };
      assertEqual(await append(store, "run", events(1), { ...under(held), ...wrong }), FENCED, "");
      assertEqual(
        await append(store, "run", events(1), { ...under(next), ...wrong }),
        { outcome: "sequence_conflict", lastSequence: 2 },
        "a conflict under the current fence",
      );
      await land(store, "run", [event("RUN_FAILED")], under(next));
      assertEqual(
        await append(store, "run", events(1), under(held)),
        { outcome: "finished", runStatus: "failed", lastSequence: 3 },
        "an append to the finished run",
      );
    },
  },
  {
    name: "S5 an owner's cancel always lands, takes the next fence and ends the lease",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      const { store } = trial;
      for (const [runId, prepare] of [
        ["unclaimed", () => Promise.resolve({ fence: 0 })],
        ["claimed", () => claim(store, "claimed")],
        ["expired", () => claimExpired(store, "expired")],
      ] as const) {
        await createRun(store, runId);
        const { fence } = await prepare();
        await land(other, runId, CANCEL, BY_OWNER);
        const { run } = await readLog(store, runId);
        assertEqual([run.runStatus, run.leaseExpiresAtMs], ["cancelled", null], `the run ${runId}`);
        assert(run.fence > fence, `the fence ${run.fence} of ${runId} is higher than ${fence}`);
        assertEqual(
          await append(store, runId, events(1), under({ fence })),
          { outcome: "finished", runStatus: "cancelled", lastSequence: 1 },
          `the worker's append to ${runId}`,
        );
      }
    },
  },
  {
    name: "S5 each request of one call is checked against the fence, in order",
    async run({ store }) {
      await createRun(store, "run");
      await createRun(store, "free");
      const held = await claim(store, "run");
      const outcomes = await store.append([
        appendRequest("run", events(1), under(held)),
        appendRequest("free", events(1)),
        appendRequest("run", events(1)),
        appendRequest("run", events(2), under(held)),
        appendRequest("free", events(1), under(held)),
        appendRequest("run", CANCEL, BY_OWNER),
        appendRequest("run", events(1), under(held)),
      ]);
      assertEqual(
        outcomes.map(({ outcome }) => outcome),
        ["appended", "appended", "fenced", "appended", "fenced", "appended", "finished"],
        "the outcomes",
      );
      assertEqual((await readLog(store, "run")).run.lastSequence, 4, "the last sequence");
    },
  },
  {
    name: "S5 when a cancel and a completion race, one wins, and the other is finished",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      for (let race = 0; race < RACES; race++) await raceEnds(trial.store, other, race);
    },
  },
  {
    name: "S5 no append under an older fence lands once a run is claimed again",
    async run(trial) {
      // Once: each of these may take a connection of its own as long as it is open.
      const stores = await trial.stores();
      for (let race = 0; race < RACES; race++) await raceFences(trial.store, stores, race);
    },
  },
];

async function raceEnds(store: KitStore, other: KitStore, race: number): Promise<void> {
  const runId = `run-${race}`;
  await createRun(store, runId);
  const held = await claim(store, runId);
  const [cancel, completion] = await Promise.all([
    turns(race % 4).then(() => append(other, runId, CANCEL, BY_OWNER)),
    turns((race * 3) % 5).then(() => append(store, runId, COMPLETE, under(held))),
  ]);
  const { run, events: log } = await readLog(store, runId);
  const { runStatus, lastSequence } = run;
  const [winner, loser] = runStatus === "cancelled" ? [cancel, completion] : [completion, cancel];
  assertEqual(winner.outcome, "appended", `the outcome of what ended ${runId} as ${runStatus}`);
  assertEqual(loser, { outcome: "finished", runStatus, lastSequence }, "the outcome of the other");
  assertEqual(log.length, runStatus === "cancelled" ? 1 : 2, "the number of events");
}

/** One worker writes on although its lease has expired, while others claim the run. */
async function raceFences(
  store: KitStore,
  stores: readonly KitStore[],
  race: number,
): Promise<void> {
  const [, other = store] = stores;
  const runId = `run-${race}`;
  await createRun(store, runId);
  const old = await claimExpired(store, runId);
  // By turns a run that is queued, and one that is running.
  const before = race % 2;
  if (before > 0) await land(store, runId, events(before), under(old));
  const [next, ...outcomes] = await Promise.all([
    turns(race % 7).then(() => other.claim({ runId, leaseMs: LONG_MS })),
    ...Array.from({ length: 6 }, async (_, index) => {
      await turns((race * index) % 11);
      return append(stores[index % stores.length] ?? store, runId, events(1), under(old));
    }),
  ]);
  assert(next.outcome === "granted", `the claim of ${runId} is granted, got ${next.outcome}`);
  const landed = outcomes.filter(({ outcome }) => outcome !== "fenced").map(landingOf);
  const late = landed.filter(({ lastSequence }) => lastSequence > next.run.lastSequence);
  assertEqual(late, [], `what landed after ${next.run.lastSequence}, where the run was claimed`);
  const { run } = await readLog(store, runId);
  assertEqual(run.lastSequence, before + landed.length, "the last sequence");
}

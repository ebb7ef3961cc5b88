import type { AppendRequest, CreateOutcome, NewRunRequest } from "../core-calls.ts";
import { event, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { BY_OWNER, claim, claimExpired, LONG_MS, under } from "../lease.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const TOPIC = "tea";
const RACERS = 8;
const ROUNDS = 6;
const CREATED = "created";

/** Cases of S21 in `STORE.md`: one live run of a topic. */
export const exclusive: readonly TrialCase[] = [
  {
    name: "S21 an exclusive run is refused while its owner has a live run of the topic, queued or running",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      for (const isExclusive of [true, false]) {
        const runId = `first-${isExclusive}`;
        const first = await create(store, runId, { exclusive: isExclusive });
        assertEqual(first.outcome, CREATED, "the first run");
        for (const step of ["queued", "running"]) {
          if (step === "running") await land(store, runId, [event("TOKEN")]);
          for (const one of stores) {
            const busy = { outcome: "topic_busy", runId };
            assertEqual(await create(one, "second"), busy, `a second run while it is ${step}`);
            assertEqual(await one.getRun("second"), null, "the second run");
          }
        }
        const list = { ownerId: OWNER, runStatus: null, before: null, limit: 9, topic: TOPIC };
        const listed = (await store.listRuns({ ...list, runStatus: "live" })).length;
        assertEqual(listed, 1, "how many live runs the topic has");
        await land(store, runId, [event("RUN_COMPLETED")]);
      }
      assertEqual((await create(store, "second")).outcome, CREATED, "the run after the ends");
    },
  },
  {
    name: "S21 the place is free the moment its run ends, however that ends",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      const ends: readonly ((runId: string) => Promise<unknown>)[] = [
        (runId) => land(store, runId, [event("RUN_COMPLETED")]),
        (runId) => land(store, runId, [event("TOKEN"), event("RUN_FAILED")]),
        (runId) => land(store, runId, [event("RUN_CANCELLED")], BY_OWNER),
        async (runId) => land(store, runId, [event("RUN_FAILED")], await expiredBy(store, runId)),
        async (runId) =>
          land(store, runId, [event("RUN_COMPLETED")], under(await claim(store, runId))),
        async (runId) => {
          await land(store, runId, [event("RUN_COMPLETED")]);
          await store.deleteRun(runId, OWNER);
        },
        async (runId) => {
          await land(store, runId, [event("RUN_COMPLETED")]);
          await store.purge({ finishedForMs: 0, limit: 100 });
        },
      ];
      for (const [index, end] of ends.entries()) {
        const runId = `run-${index}`;
        const one = stores[index % stores.length] ?? store;
        assertEqual((await create(one, runId)).outcome, CREATED, `the run ${runId}`);
        const busy = { outcome: "topic_busy", runId };
        assertEqual(await create(store, "other"), busy, "another run before the end");
        await end(runId);
      }
      assertEqual((await create(store, "other")).outcome, CREATED, "the run after the last end");
    },
  },
  {
    name: "S21 another topic, another owner and no topic have places of their own, and a run without `exclusive` is never refused",
    async run({ store }) {
      assertEqual((await create(store, "run")).outcome, CREATED, "the run");
      const others: readonly Partial<NewRunRequest>[] = [
        { topic: "Tea" },
        { topic: "tea " },
        { topic: "topic=tea" },
        { ownerId: "bob" },
        { ownerId: `${OWNER}}:topic=tea` },
        { exclusive: false },
        { topic: null, exclusive: false },
      ];
      for (const [index, part] of others.entries()) {
        const outcome = await create(store, `run-${index}`, part);
        assertEqual(outcome.outcome, CREATED, `a run with ${JSON.stringify(part)}`);
      }
      await land(store, "run", [event("RUN_COMPLETED")]);
      const busy = { outcome: "topic_busy", runId: "run-5" };
      assertEqual(await create(store, "last"), busy, "a run while one that is not exclusive lives");
    },
  },
  {
    name: "S21 creating an exclusive run again answers it, live or finished",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      const first = await create(store, "run");
      assert("run" in first, "the run is created");
      for (const one of stores) {
        const again = await create(one, "run");
        assertEqual(again, { outcome: "existing", run: first.run }, "the same creation");
      }
      await create(store, "plain", { exclusive: false, topic: TOPIC });
      assertEqual((await create(store, "plain")).outcome, "existing", "a run next to it, again");
      await land(store, "run", [event("RUN_COMPLETED")]);
      assertEqual((await create(store, "run")).outcome, "existing", "the finished run");
      const busy = { outcome: "topic_busy", runId: "plain" };
      assertEqual(await create(store, "next"), busy, "the next run");
    },
  },
  {
    name: "S21 an exclusive run may be claimed at its creation, and one that is refused claims nothing",
    async run({ store }) {
      const asked = { claim: { leaseMs: LONG_MS, claimKey: "one", worker: "w-1" } };
      const first = await create(store, "run", asked);
      assert("run" in first, "the run is created");
      assertEqual(first.run.worker, "w-1", "its worker");
      const again = await create(store, "run", asked);
      assertEqual(again, { outcome: "existing", run: first.run }, "the same creation");
      const busy = { outcome: "topic_busy", runId: "run" };
      assertEqual(await create(store, "other", asked), busy, "another creation");
      assertEqual(await store.getRun("other"), null, "the refused run");
      await land(store, "run", [event("RUN_COMPLETED")], under(first.run));
      assertEqual((await create(store, "other", asked)).outcome, CREATED, "the next creation");
    },
  },
  {
    name: "S21 of exclusive runs that are created at once, one is created, and the others are refused with its id",
    async run(trial) {
      const stores = await trial.stores();
      for (let round = 0; round < ROUNDS; round++) {
        const outcomes = await Promise.all(
          Array.from({ length: RACERS }, (_, index) =>
            create(stores[index % stores.length] ?? trial.store, `run-${round}-${index}`),
          ),
        );
        const won = outcomes.flatMap((one) => ("run" in one ? [one.run.runId] : []));
        assertEqual(won.length, 1, "how many were created");
        const [runId = ""] = won;
        const refused = outcomes.filter((one) => !("run" in one));
        const busy = { outcome: "topic_busy", runId };
        assertEqual(
          refused,
          Array.from({ length: RACERS - 1 }, () => busy),
          "the refusals",
        );
        await land(trial.store, runId, [event("RUN_COMPLETED")]);
      }
    },
  },
  {
    name: "S21 of one exclusive run that is created many times at once, one call creates it and the others get it",
    async run(trial) {
      const stores = await trial.stores();
      const outcomes = await Promise.all(
        Array.from({ length: RACERS }, (_, index) =>
          create(stores[index % stores.length] ?? trial.store, "run"),
        ),
      );
      const names = outcomes.map(({ outcome }) => outcome).toSorted();
      const rest = Array.from({ length: RACERS - 1 }, () => "existing");
      assertEqual(names, [CREATED, ...rest], "the outcomes");
    },
  },
];

async function create(
  store: KitStore,
  runId: string,
  part: Partial<NewRunRequest> = {},
): Promise<CreateOutcome> {
  const request = { runId, ownerId: OWNER, metadata: "null", topic: TOPIC, exclusive: true };
  return store.createRun({ ...request, ...part });
}

/** Claims the run for the shortest time, so that its owner may end it as a reaper does. */
async function expiredBy(store: KitStore, runId: string): Promise<Pick<AppendRequest, "appender">> {
  await claimExpired(store, runId);
  return BY_OWNER;
}

import type { CreateClaim, CreateOutcome, NewRunRequest } from "../core-calls.ts";
import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import {
  BY_OWNER,
  claim,
  dueRuns,
  granted,
  heldUntil,
  type HeldRun,
  LONG_MS,
  SHORT_MS,
  under,
  untilExpired,
  renewed,
} from "../lease.ts";
import { nextTurn } from "../next-turn.ts";
import { createRun, readRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const RACERS = 8;
const ROUNDS = 20;
const READS_A_TURN = 8;
const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 100 } as const;
const LONG: CreateClaim = { leaseMs: LONG_MS };

/** Cases of S21 in `STORE.md`: a creation that claims its run in the same step. */
export const starting: readonly TrialCase[] = [
  {
    name: "S21 a new run is under its lease from the first moment, and takes appends of that fence only",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      const held = await start(store, "run", { ...LONG, worker: "w-1" }, { topic: "tea" });
      const { ordinal, fence, leaseExpiresAtMs, createdAtMs } = held;
      assert(fence > 0, `the fence is positive, got ${fence}`);
      assertEqual(leaseExpiresAtMs - createdAtMs, LONG_MS, "how long the lease lasts");
      const run = {
        runId: "run",
        ownerId: OWNER,
        runStatus: "queued",
        phase: null,
        lastSequence: 0,
        ordinal,
        createdAtMs,
        updatedAtMs: createdAtMs,
        finishedAtMs: null,
        metadata: "null",
        topic: "tea",
        fence,
        leaseExpiresAtMs,
        worker: "w-1",
      };
      assertEqual(held, run, "the new run");
      for (const one of stores) {
        assertEqual(await one.getRun("run"), run, "the run by itself");
        assertEqual((await readRun(one, "run")).run, run, "the run of a page");
        assertEqual(await one.listRuns(LIST), [run], "the list");
        const other = { runId: "run", ownerId: OWNER, leaseMs: LONG_MS };
        assertEqual(await one.claim(other), heldUntil(leaseExpiresAtMs), "another claim");
        assertEqual(await append(one, "run", events(1)), { outcome: "fenced" }, "anybody's append");
      }
      await land(store, "run", events(1), under(held));
      const lease = { runId: "run", fence };
      renewed(await store.renew({ ...lease, leaseMs: LONG_MS }), "the renewal");
      await store.release(lease);
      const next = await claim(store, "run");
      assert(next.fence > fence, `the next fence is higher than ${fence}, got ${next.fence}`);
    },
  },
  {
    name: "S21 no reader sees a new run without its lease",
    async run(trial) {
      const stores = await trial.stores();
      for (let round = 0; round < ROUNDS; round++) {
        const runId = `run-${round}`;
        let isCreated = false;
        const started = start(trial.store, runId, LONG).finally(() => (isCreated = true));
        const readers = stores.map(async (one) => {
          while (!isCreated) {
            for (let read = 0; read < READS_A_TURN; read++) {
              const run = await one.getRun(runId);
              assert(run?.leaseExpiresAtMs !== null, `a reader sees the lease of ${runId}`);
            }
            await nextTurn();
          }
        });
        await Promise.all([started, ...readers]);
      }
    },
  },
  {
    name: "S21 the lease of a new run expires, and the run is then found among the expired ones",
    async run(trial) {
      const stores = await trial.stores();
      const held = await start(trial.store, "short", { leaseMs: SHORT_MS });
      await untilExpired(trial.store, held);
      for (const one of stores)
        assertEqual(await dueRuns(one, "leased"), ["short"], "the expired runs");
      const next = await claim(trial.store, "short");
      assert(next.fence > held.fence, `the next fence is higher than ${held.fence}`);
      assertEqual(
        await dueRuns(trial.store, "leased"),
        [],
        "the expired runs after the next claim",
      );
    },
  },
  {
    name: "S21 a creation that is sent again under its key gets the lease that it got, with the run as it is then",
    async run(trial) {
      const stores = await trial.stores();
      const asked = { ...LONG, claimKey: "one", worker: "w-1" };
      const held = await start(trial.store, "run", asked);
      for (const one of stores) {
        for (const claimed of [asked, { ...asked, leaseMs: SHORT_MS, worker: "w-2" }]) {
          const again = await create(one, "run", claimed);
          assertEqual(again, { outcome: "existing", run: held }, "the same creation");
        }
        const claimed = await one.claim({ runId: "run", ownerId: OWNER, ...asked });
        assertEqual(granted(claimed, "the claim under that key"), held, "the claim");
        for (const other of [LONG, { ...LONG, claimKey: "two" }]) {
          const refused = heldUntil(held.leaseExpiresAtMs);
          assertEqual(await create(one, "run", other), refused, "another creation");
        }
      }
    },
  },
  {
    name: "S21 a creation of an existing run claims it as a claim does",
    async run({ store }) {
      const made = await createRun(store, "run");
      const { fence, leaseExpiresAtMs, worker } = await startExisting(store, "run", {
        ...LONG,
        worker: "w-1",
      });
      assert(fence > 0, `the fence is positive, got ${fence}`);
      const run = { ...made, fence, leaseExpiresAtMs, worker };
      assertEqual(await store.getRun("run"), run, "the run: only its lease has changed");
      assertEqual(worker, "w-1", "the worker");
      await land(store, "run", [event("TOKEN")], BY_OWNER);
      const next = await startExisting(store, "run", { leaseMs: SHORT_MS });
      assert(next.fence > fence + 1, `the next fence is higher than ${fence + 1}`);
      await untilExpired(store, next);
      const last = await startExisting(store, "run", LONG);
      assert(last.fence > next.fence, `the last fence is higher than ${next.fence}`);
    },
  },
  {
    name: "S21 a creation of a finished run is refused as finished, with any claim",
    async run({ store }) {
      const held = await start(store, "run", { ...LONG, claimKey: "one" });
      await land(store, "run", [event("TOKEN"), event("RUN_COMPLETED")], under(held));
      const finished = { outcome: "finished", runStatus: "completed", lastSequence: 2 };
      for (const claimed of [LONG, { ...LONG, claimKey: "one" }]) {
        assertEqual(await create(store, "run", claimed), finished, "the creation");
      }
      const plain = await store.createRun({ runId: "run", ownerId: OWNER, metadata: "null" });
      assertEqual(plain.outcome, "existing", "a creation without a lease");
    },
  },
  {
    name: "S21 of creations of one run that race, one gets the lease",
    async run(trial) {
      const stores = await trial.stores();
      for (const runId of ["run-1", "run-2", "run-3", "run-4"]) {
        const outcomes = await Promise.all(
          Array.from({ length: RACERS }, (_, index) => {
            const claimed = { ...LONG, claimKey: `key-${index}`, worker: `w-${index}` };
            return create(stores[index % stores.length] ?? trial.store, runId, claimed);
          }),
        );
        const won = outcomes.flatMap((one) => ("run" in one ? [one.run] : []));
        assertEqual(won.length, 1, "how many have the run");
        assertEqual(await trial.store.getRun(runId), won[0], "the run");
        const lost = outcomes.filter((one) => !("run" in one));
        const claimed = heldUntil(won[0]?.leaseExpiresAtMs ?? 0);
        assertEqual(
          lost,
          Array.from({ length: RACERS - 1 }, () => claimed),
          "the other outcomes",
        );
      }
    },
  },
  {
    name: "S21 an id of a deleted run gets a new run with a lease of its own, which the old worker does not have",
    async run({ store }) {
      const old = await start(store, "run", { ...LONG, claimKey: "one" });
      await land(store, "run", [event("RUN_COMPLETED")], under(old));
      await store.deleteRun("run", OWNER);
      const held = await start(store, "run", { ...LONG, claimKey: "one" });
      assert(held.fence !== old.fence, `the new fence is another than ${old.fence}`);
      const late = await append(store, "run", events(1), under(old));
      assertEqual(late, { outcome: "fenced" }, "an append of the old worker");
    },
  },
];

function create(
  store: KitStore,
  runId: string,
  claimed: CreateClaim,
  part: Partial<NewRunRequest> = {},
): Promise<CreateOutcome> {
  return store.createRun({ runId, ownerId: OWNER, metadata: "null", claim: claimed, ...part });
}

async function start(
  store: KitStore,
  runId: string,
  claimed: CreateClaim,
  part: Partial<NewRunRequest> = {},
): Promise<HeldRun> {
  return heldRun(await create(store, runId, claimed, part), "created");
}

async function startExisting(
  store: KitStore,
  runId: string,
  claimed: CreateClaim,
): Promise<HeldRun> {
  return heldRun(await create(store, runId, claimed), "existing");
}

function heldRun(outcome: CreateOutcome, expected: CreateOutcome["outcome"]): HeldRun {
  assertEqual(outcome.outcome, expected, "the outcome of the creation");
  if (!("run" in outcome)) throw new TypeError("Expected a run, got none.");
  return granted({ outcome: "granted", run: outcome.run }, "the creation");
}

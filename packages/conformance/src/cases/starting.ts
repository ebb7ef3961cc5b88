import type { CreateClaim, CreateOutcome, NewRunRequest } from "../core-calls.ts";
import { assert, assertEqual } from "../assert.ts";
import { granted, heldUntil, type HeldRun, LONG_MS } from "../lease.ts";
import { nextTurn } from "../next-turn.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const RACERS = 8;
const ROUNDS = 20;
const READS_A_TURN = 8;
const LONG: CreateClaim = { leaseMs: LONG_MS };

/** Cases of S21 in `STORE.md`: a creation that claims its run in the same step. */
export const starting: readonly TrialCase[] = [
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

function heldRun(outcome: CreateOutcome, expected: CreateOutcome["outcome"]): HeldRun {
  assertEqual(outcome.outcome, expected, "the outcome of the creation");
  if (!("run" in outcome)) throw new TypeError("Expected a run, got none.");
  return granted({ outcome: "granted", run: outcome.run }, "the creation");
}

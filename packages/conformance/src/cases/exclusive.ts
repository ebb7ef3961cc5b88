import type { CreateOutcome, NewRunRequest } from "../core-calls.ts";
import { event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const TOPIC = "tea";
const RACERS = 8;
const ROUNDS = 6;

/** Cases of S21 in `STORE.md`: one live run of a topic. */
export const exclusive: readonly TrialCase[] = [
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
];

async function create(
  store: KitStore,
  runId: string,
  part: Partial<NewRunRequest> = {},
): Promise<CreateOutcome> {
  const request = { runId, ownerId: OWNER, metadata: "null", topic: TOPIC, exclusive: true };
  return store.createRun({ ...request, ...part });
}

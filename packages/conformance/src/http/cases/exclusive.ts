import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { land, pathOf, post } from "../runs.ts";

const RUNS = "/v1/agent-runs";

/** Cases of W35 in `WIRE.md`: one live run of a topic. */
export const exclusive: readonly HttpTrialCase[] = [
  {
    name: "W35 an exclusive run is topic_busy while the caller has a live run of the topic, and free the moment that ends",
    async run(trial) {
      const topic = crypto.randomUUID();
      const ends: readonly ((runId: string) => Promise<unknown>)[] = [
        (runId) => land(trial, runId, ["RUN_COMPLETED"]),
        (runId) => land(trial, runId, ["NOTE", "RUN_FAILED"]),
        async (runId) =>
          assertStatus(await trial.send(post(trial, pathOf(runId, "/cancel"), "")), 200),
      ];
      for (const isExclusive of [true, false]) {
        for (const end of ends) {
          const runId = idOf(await create(trial, { topic, exclusive: isExclusive }));
          assertProblem(await create(trial, { topic }), 409, "topic_busy", { runId });
          await end(runId);
        }
      }
      assertStatus(await create(trial, { topic }), 201);
    },
  },
  {
    name: "W35 `exclusive` without a topic, or one that is no boolean, is 400 and creates nothing",
    async run(trial) {
      const topic = crypto.randomUUID();
      const bodies = [
        '{"exclusive":true}',
        '{"exclusive":true,"topic":null}',
        ...["1", "0", '"true"', "null", "[true]", "{}"].map(
          (value) => `{"topic":"${topic}","exclusive":${value}}`,
        ),
      ];
      for (const body of bodies) {
        assertProblem(await trial.send(post(trial, RUNS, body)), 400, "invalid_request");
      }
      assertStatus(await create(trial, { topic }), 201);
    },
  },
];

function create(trial: HttpTrial, part: object): Promise<Answer> {
  return trial.send(post(trial, RUNS, JSON.stringify({ exclusive: true, ...part })));
}

function idOf(answer: Answer): string {
  assertStatus(answer, 201);
  return String(answer.json()["runId"]);
}

import { assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { land, pathOf, post } from "../runs.ts";

const RUNS = "/v1/agent-runs";
const RACERS = 8;

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
    name: "W35 another topic and another user have places of their own, and a run without `exclusive` is never refused",
    async run(trial) {
      const topic = crypto.randomUUID();
      idOf(await create(trial, { topic }));
      idOf(await create(trial, { topic: `${topic} ` }));
      idOf(await create(trial, { topic, exclusive: false }));
      idOf(await create(trial, { topic, exclusive: undefined }));
      idOf(await create(trial, { topic: null, exclusive: false }));
      const call = post(trial, RUNS, JSON.stringify({ topic, exclusive: true }));
      const foreign = { ...call, headers: { ...call.headers, ...trial.stranger.bearer } };
      assertStatus(await trial.send(foreign), 201);
    },
  },
  {
    name: "W35 creating an exclusive run again answers it, live or finished",
    async run(trial) {
      const run = { topic: crypto.randomUUID(), runId: `run-${crypto.randomUUID()}` };
      assertStatus(await create(trial, run), 201);
      for (const finishes of [true, false]) {
        const again = await create(trial, run);
        assertStatus(again, 200);
        assertMembers(again, { runId: run.runId });
        if (finishes) await land(trial, run.runId, ["RUN_COMPLETED"]);
      }
    },
  },
  {
    name: "W35 of exclusive runs that are created at once, one is created",
    async run(trial) {
      const topic = crypto.randomUUID();
      const answers = await Promise.all(
        Array.from({ length: RACERS }, () => create(trial, { topic })),
      );
      const won = answers.filter(({ status }) => status === 201);
      assertEqual(won.length, 1, "how many were created");
      const { runId } = won[0]?.json() ?? {};
      for (const answer of answers) {
        if (!won.includes(answer)) assertProblem(answer, 409, "topic_busy", { runId });
      }
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

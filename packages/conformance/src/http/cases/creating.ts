import { assert, assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import { SNAPSHOT } from "../check-feed-frame.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { getRun, post } from "../runs.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Cases of W8 in `WIRE.md`: creating. */
export const creating: readonly HttpTrialCase[] = [
  {
    name: "W8 creating answers 201, Location and the snapshot; without an id it is a UUID",
    async run(trial) {
      const body = '{"metadata":{"a":1}}';
      const answer = await trial.send(post(trial, "/v1/agent-runs", body));
      assertStatus(answer, 201);
      const run = answer.json();
      const runId = String(run["runId"]);
      assertEqual(Object.keys(run).toSorted(), SNAPSHOT, "the fields of the snapshot");
      assert(UUID.test(runId), `the id is a UUID, got ${runId}`);
      assertMembers(answer, { runStatus: "queued", currentPhase: null, lastSequence: 0 });
      assertMembers(answer, { finishedAt: null, topic: null, lease: null, metadata: { a: 1 } });
      const location = new URL(answer.headers.get("location") ?? "", trial.baseUrl);
      assertEqual(location.pathname, `${trial.basePath}/${runId}`, "Location");
      assertEqual(await getRun(trial, runId), run, "the run at its path");
    },
  },
  {
    name: "W8 when creations of one id race, one is 201 and the rest are 200",
    async run(trial) {
      const call = post(trial, "/v1/agent-runs", JSON.stringify({ runId: crypto.randomUUID() }));
      const answers = await Promise.all(Array.from({ length: 6 }, () => trial.send(call)));
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      assertEqual(statuses, [200, 200, 200, 200, 200, 201], "the statuses");
    },
  },
  {
    name: "W8 an invalid id, an unknown field and a body that is not an object are 400",
    async run(trial) {
      const ids = ["", "a b", "é", "a/b", "x".repeat(129)].map((runId) =>
        JSON.stringify({ runId }),
      );
      for (const body of [...ids, '{"runId":7}', '{"runId":null}', '{"owner":"x"}', "[]", "{"]) {
        const answer = await trial.send(post(trial, "/v1/agent-runs", body));
        assertProblem(answer, 400, "invalid_request");
      }
    },
  },
];

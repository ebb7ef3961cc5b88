import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { appendCall, pageOf, pathOf, sequencesOf } from "../runs.ts";

const MOST = 32;

/** A run of the stranger's, whose streams and polls no other case holds. */
async function recordStrangers(trial: HttpTrial): Promise<string> {
  const headers = { ...trial.stranger.bearer, "content-type": "application/json" };
  const answer = await trial.send({ method: "POST", path: "/v1/agent-runs", headers, body: "{}" });
  assertStatus(answer, 201);
  return String(answer.json()["runId"]);
}

/** W28: how much one user may hold. */
export const limits: readonly HttpTrialCase[] = [
  {
    name: "W28 beyond 32 streams of a user the next is refused as overloaded, in the stream",
    async run(trial) {
      const path = pathOf(await recordStrangers(trial), "/stream");
      const types: unknown[] = [];
      for (let opened = 0; opened < MOST + 1 && !types.includes("overloaded"); opened++) {
        const stream = await trial.follow({ path, headers: trial.stranger.session });
        assertEqual(stream.status, 200, `the status of stream ${opened + 1}`);
        const { message } = await stream.next();
        types.push(message["code"] ?? message["type"]);
      }
      assertEqual(types.at(-1), "overloaded", `the first frame of stream ${types.length}`);
    },
  },
  {
    name: "W28 beyond 32 long-polls of a user the next is 429 with Retry-After",
    async run(trial) {
      const runId = await recordStrangers(trial);
      const path = pathOf(runId, "/events?wait=10");
      const headers = trial.stranger.bearer;
      const polls = Array.from({ length: MOST + 1 }, () => trial.send({ path, headers }));
      // Only the one that is refused is answered before there is something newer.
      const refused = await Promise.race(polls);
      assertProblem(refused, 429, "too_many_requests");
      assert(/^\d+$/.test(refused.headers.get("retry-after") ?? ""), "it has Retry-After");
      await trial.send(appendCall(trial, runId, ["NOTE"], trial.stranger.bearer));
      const held = (await Promise.all(polls)).filter(({ status }) => status !== 429);
      for (const answer of held) assertEqual(sequencesOf(pageOf(answer)), [1], "a held page");
    },
  },
];

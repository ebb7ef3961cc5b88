import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { appendCall, pageOf, pathOf, post, sequencesOf } from "../runs.ts";

const MOST = 32;

/** A run of the stranger's, whose streams and polls no other case holds. */
async function recordStrangers(trial: HttpTrial): Promise<string> {
  const headers = { ...trial.stranger.bearer, "content-type": "application/json" };
  const answer = await trial.send({ method: "POST", path: "/v1/agent-runs", headers, body: "{}" });
  assertStatus(answer, 201);
  return String(answer.json()["runId"]);
}

/** Cases of W28 and W49 in `WIRE.md`: how much one user may hold. */
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
  {
    name: "W49 beyond 32 MiB of bodies of a user that have not ended the next is 429 with Retry-After, and nothing of it is written",
    async run(trial) {
      const runId = await recordStrangers(trial);
      const path = pathOf(runId, "/events");
      const text = '{"events":[{"eventType":"NOTE"}]}';
      const bodies = Array.from({ length: 10 }, () => holdBody(text.padEnd(BODY_BYTES)));
      const answers = bodies.map(({ stream }) =>
        trial.send({ ...post(trial, path, "", trial.stranger.bearer), body: stream }),
      );
      // Only one that is refused is answered before it has ended.
      const refused = await Promise.race(answers);
      assertProblem(refused, 429, "too_many_requests");
      assert(/^\d+$/.test(refused.headers.get("retry-after") ?? ""), "it has Retry-After");
      for (const { end } of bodies) end();
      const all = await Promise.all(answers);
      const taken = all.filter(({ status }) => status !== 429);
      for (const answer of taken) assertStatus(answer, 201);
      const page = await trial.send({ path, headers: trial.stranger.bearer });
      assertEqual(pageOf(page).lastSequence, taken.length, "lastSequence");
      // A stream that has ended does not count any more.
      const next = post(trial, path, text, trial.stranger.bearer);
      assertStatus(await trial.send(next), 201);
    },
  },
];

/** The most bytes of a body. @see clause W9 in `WIRE.md` */
const BODY_BYTES = 4_194_304;

/** A body that is sent at once, but for its end. */
function holdBody(text: string): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly end: () => void;
} {
  let end = (): void => {};
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      end = () => controller.close();
    },
    cancel() {
      end = () => {};
    },
  });
  return { stream, end: () => end() };
}

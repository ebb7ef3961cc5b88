import { assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpCases } from "../http-trial.ts";
import { pageOf } from "../wire-run.ts";
import { RUNS_STREAM, withQuery } from "../paths.ts";

const MOST = 32;
/** The most bytes of a body. @see clause W9 in `WIRE.md` */
const BODY_BYTES = 4_194_304;

/** Fails unless one of these answers comes before what they wait for, and is 429. */
async function assertOneRefused(answers: readonly Promise<Answer>[]): Promise<void> {
  const refused = await Promise.race(answers);
  assertProblem(refused, 429, "too_many_requests");
}

/** Cases of W28, W47 and W49 in `WIRE.md`: how much one user may hold. It is the stranger, of whom no other case holds anything. */
export const limits: HttpCases = {
  "W28 beyond 32 streams of a user the next is refused as overloaded, in the stream; one of many runs counts as one":
    async ({ stranger }) => {
      const run = await stranger.record();
      const entries = Array.from({ length: MOST + 1 }, (_, at) => `none-${at}:0`);
      const runs = withQuery(RUNS_STREAM, `runs=${[`${run.id}:0`, ...entries].join()}`);
      const opened: unknown[] = [];
      while (opened.length <= MOST && !opened.includes("overloaded")) {
        const stream = await stranger.follow(opened.length < 2 ? runs : run.at("/stream"));
        assertEqual(stream.status, 200, `the status of stream ${opened.length + 1}`);
        const { message } = await stream.next();
        opened.push(message["code"] ?? message["type"]);
      }
      assertEqual(opened[1], "stream_opened", "the first frame of the second stream");
      assertEqual(opened.at(-1), "overloaded", `the first frame of stream ${opened.length}`);
    },
  "W28 beyond 32 long-polls of a user the next is 429 with Retry-After": async ({ stranger }) => {
    const run = await stranger.record();
    const polls = Array.from({ length: MOST + 1 }, () => run.poll("wait=10"));
    await assertOneRefused(polls);
    await run.land(["NOTE"]);
    const held = (await Promise.all(polls)).filter(({ status }) => status !== 429);
    for (const answer of held) assertEqual(pageOf(answer).sequences, [1], "a held page");
  },
  "W49 beyond 32 MiB of bodies of a user that have not ended the next is 429 with Retry-After, and nothing of it is written":
    async ({ stranger }) => {
      const run = await stranger.record();
      const ended = Promise.withResolvers<void>();
      const body = new TextEncoder().encode('{"events":[{"eventType":"NOTE"}]}'.padEnd(BODY_BYTES));
      // A body that is sent at once, but for its end.
      const open = (): ReadableStream<Uint8Array> =>
        new ReadableStream({
          start: (controller) => controller.enqueue(body),
          async pull(controller) {
            await ended.promise;
            controller.close();
          },
        });
      const answers = Array.from({ length: 10 }, () => run.post("/events", open()));
      await assertOneRefused(answers).finally(() => ended.resolve());
      const taken = (await Promise.all(answers)).filter(({ status }) => status !== 429);
      for (const answer of taken) assertStatus(answer, 201);
      await run.assertLength(taken.length);
      // A body that has ended does not count any more.
      await run.land(["NOTE"]);
    },
};

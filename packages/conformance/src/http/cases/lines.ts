import { assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpCases } from "../http-trial.ts";
import { fenced, receiptOf, type WireRun } from "../wire-run.ts";

const NOTE = '{"eventType":"NOTE"}';

async function typesIn(run: WireRun): Promise<readonly string[]> {
  return (await run.page("limit=1000")).events.map(({ eventType }) => eventType);
}

/** A body that goes on only when the part before has been seen. */
function inParts(first: string, seen: () => Promise<unknown>, second: string) {
  const parts = [async () => first, async () => (await seen(), second)].values();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = parts.next().value;
      if (part === undefined) controller.close();
      else controller.enqueue(encoder.encode(await part()));
    },
  });
}

/** Cases of W12 and W32 in `WIRE.md`: one event a line. */
export const lines: HttpCases = {
  "W12 each line is an event, blank lines are skipped, the last needs no newline, and there is no limit of a batch":
    async ({ owner }) => {
      for (const end of ["", "\n", "\r\n", "\n\n"]) {
        const run = await owner.record("FIRST");
        const body = `${NOTE}\n\n \t\n{"eventType":"NOTE","payload":[1.0]}\r\n${NOTE}${end}`;
        const answer = await run.lines(body);
        assertStatus(answer, 201);
        const { firstSequence, lastSequence, replayed } = receiptOf(answer);
        assertEqual([firstSequence, lastSequence, replayed], [2, 4, false], "the receipt");
        const payloads = (await run.page()).events.map(({ payload }) => payload);
        assertEqual(payloads, ["null", "null", "[1.0]", "null"], "the payloads");
      }
      const many = await (await owner.record()).lines(`${NOTE}\n`.repeat(1_001));
      assertStatus(many, 201);
      const { firstSequence, lastSequence } = receiptOf(many);
      assertEqual([firstSequence, lastSequence], [1, 1_001], "the receipt of many lines");
    },
  "W12 a bad line ends the append with a problem that names it, and the lines before it stay":
    async ({ owner }) => {
      for (const [line, status, code, before = NOTE] of [
        ['{"eventType":', 400, "invalid_request"],
        [`${NOTE}${NOTE}`, 400, "invalid_request"],
        ["[]", 422, "invalid_event"],
        ['{"eventType":"note"}', 422, "invalid_event"],
        ['{"eventType":"NOTE","line":1}', 422, "invalid_event"],
        [`{"eventType":"NOTE","payload":"${"x".repeat(262_143)}"}`, 413, "payload_too_large"],
        [NOTE, 409, "run_finished", '{"eventType":"RUN_FAILED"}'],
      ] as const) {
        const run = await owner.record("FIRST");
        const answer = await run.lines(`${NOTE}\n\n${before}\n${line}\n${NOTE}\n`);
        assertProblem(answer, status, code, { line: 4, lastSequence: 3 });
        const { eventType } = JSON.parse(before) as { readonly eventType: string };
        assertEqual(await typesIn(run), ["FIRST", "NOTE", eventType], "the log");
      }
    },
  "W12 lines are appended as they arrive": async ({ owner }) => {
    const run = await owner.record();
    const stream = await run.live();
    const seen = async (): Promise<void> => {
      await stream.until("run_event");
      assertEqual(await typesIn(run), ["NOTE"], "the log while the sender goes on");
    };
    const answer = await run.lines(inParts(`${NOTE}\n{"eventType":`, seen, '"RUN_COMPLETED"}'));
    assertStatus(answer, 201);
    assertEqual(receiptOf(answer).lastSequence, 2, "lastSequence");
    await stream.until("run_finished");
  },
  "W32 a fence that is lost during lines ends them at the first one after the loss": async ({
    owner,
  }) => {
    const run = await owner.record();
    const { fence } = await run.claim();
    const stream = await run.live();
    const lose = async (): Promise<void> => {
      await stream.until("run_event");
      assertStatus(await run.release(fence), 204);
      await run.claim();
    };
    const body = inParts(`${NOTE}\n`, lose, `${NOTE}\n`);
    const answer = await run.lines(body, fenced(fence));
    assertProblem(answer, 409, "fenced", { line: 2, lastSequence: 1 });
    await run.assertLength(1);
  },
};

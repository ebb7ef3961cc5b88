import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { linesCall, readPage, receiptOf, record, tailLive } from "../runs.ts";

const NOTE = '{"eventType":"NOTE"}';

async function typesIn(trial: HttpTrial, runId: string): Promise<readonly string[]> {
  const { events } = await readPage(trial, runId, "limit=1000");
  return events.map(({ eventType }) => eventType);
}

/** Cases of W12 in `WIRE.md`: one event a line. */
export const lines: readonly HttpTrialCase[] = [
  {
    name: "W12 each line is an event, blank lines are skipped, and the last needs no newline",
    async run(trial) {
      for (const end of ["", "\n", "\r\n", "\n\n"]) {
        const runId = await record(trial, "FIRST");
        const body = `${NOTE}\n\n \t\n{"eventType":"NOTE","payload":[1.0]}\r\n${NOTE}${end}`;
        const answer = await trial.send(linesCall(trial, runId, body));
        assertStatus(answer, 201);
        const { firstSequence, lastSequence, replayed } = receiptOf(answer);
        assertEqual([firstSequence, lastSequence, replayed], [2, 4, false], "the receipt");
        const { events } = await readPage(trial, runId);
        const payloads = events.map(({ payload }) => payload);
        assertEqual(payloads, ["null", "null", "[1.0]", "null"], "the payloads");
      }
    },
  },
  {
    name: "W12 a bad line ends the append with a problem that names it, and the lines before it stay",
    async run(trial) {
      const bad: readonly (readonly [string, number, string])[] = [
        ['{"eventType":', 400, "invalid_request"],
        [`${NOTE}${NOTE}`, 400, "invalid_request"],
        ["[]", 422, "invalid_event"],
        ['{"eventType":"note"}', 422, "invalid_event"],
        ['{"eventType":"NOTE","line":1}', 422, "invalid_event"],
        [`{"eventType":"NOTE","payload":"${"x".repeat(262_143)}"}`, 413, "payload_too_large"],
      ];
      for (const [line, status, code] of bad) {
        const runId = await record(trial, "FIRST");
        const body = `${NOTE}\n\n${NOTE}\n${line}\n${NOTE}\n`;
        const answer = await trial.send(linesCall(trial, runId, body));
        assertProblem(answer, status, code, { line: 4, lastSequence: 3 });
        assertEqual(await typesIn(trial, runId), ["FIRST", "NOTE", "NOTE"], "the log");
      }
    },
  },
  {
    name: "W12 a line after a terminal event is refused with its number",
    async run(trial) {
      const runId = await record(trial);
      const body = `${NOTE}\n{"eventType":"RUN_FAILED"}\n${NOTE}\n`;
      const answer = await trial.send(linesCall(trial, runId, body));
      assertProblem(answer, 409, "run_finished", { line: 3, lastSequence: 2, runStatus: "failed" });
      assertEqual(await typesIn(trial, runId), ["NOTE", "RUN_FAILED"], "the log");
    },
  },
  {
    name: "W12 lines are appended as they arrive",
    async run(trial) {
      const runId = await record(trial);
      const stream = await tailLive(trial, runId);
      await stream.until("connected");
      const encoder = new TextEncoder();
      const seen = Promise.withResolvers<void>();
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          sent += 1;
          if (sent === 1) {
            controller.enqueue(encoder.encode(`${NOTE}\n{"eventType":`));
            return;
          }
          await seen.promise;
          controller.enqueue(encoder.encode('"RUN_COMPLETED"}'));
          controller.close();
        },
      });
      const answering = trial.send(linesCall(trial, runId, body));
      // Looked at below, unless the stream fails first.
      answering.catch(() => {});
      try {
        await stream.until("run_event");
        assertEqual(await typesIn(trial, runId), ["NOTE"], "the log while the sender goes on");
      } finally {
        seen.resolve();
      }
      const answer = await answering;
      assertStatus(answer, 201);
      assertEqual(receiptOf(answer).lastSequence, 2, "lastSequence");
      await stream.until("run_finished");
    },
  },
  {
    name: "W12 lines have no limit of a batch, and a body without an event is 400",
    async run(trial) {
      const runId = await record(trial);
      for (const body of ["\n", " \r\n\t\n"]) {
        assertProblem(await trial.send(linesCall(trial, runId, body)), 400, "invalid_request");
      }
      const answer = await trial.send(linesCall(trial, runId, `${NOTE}\n`.repeat(1_001)));
      assertStatus(answer, 201);
      const { firstSequence, lastSequence } = receiptOf(answer);
      assert(
        firstSequence === 1 && lastSequence === 1_001,
        `the receipt has 1 to 1,001, got ${firstSequence} to ${lastSequence}`,
      );
    },
  },
];

import { assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { phase } from "../draft.ts";
import { appendCall, getRun, land, pathOf, post, readPage, record, sequencesOf } from "../runs.ts";

const EVENT = '{"eventType":"NOTE"}';

async function assertUntouched(trial: HttpTrial, runId: string): Promise<void> {
  assertEqual((await getRun(trial, runId))["lastSequence"], 0, "lastSequence after the refusal");
}

/** Cases of W9 in `WIRE.md`: appending. */
export const appending: readonly HttpTrialCase[] = [
  {
    name: "W9 a batch is appended whole and its receipt shows where",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const receipt = await land(trial, runId, ["NOTE", phase("p"), "NOTE"]);
      assertEqual(
        receipt,
        {
          firstSequence: 2,
          lastSequence: 4,
          runStatus: "running",
          currentPhase: "p",
          replayed: false,
        },
        "the receipt",
      );
      assertEqual(sequencesOf(await readPage(trial, runId)), [1, 2, 3, 4], "the sequences");
    },
  },
  {
    name: "W9 one bad event refuses the batch whole, with its index",
    async run(trial) {
      const runId = await record(trial);
      for (const event of [
        "7",
        "null",
        '{"payload":1}',
        '{"eventType":7}',
        '{"eventType":"Note"}',
        '{"eventType":"_NOTE"}',
        '{"eventType":""}',
        `{"eventType":"${"A".repeat(65)}"}`,
        '{"eventType":"NOTE\\n"}',
        '{"eventType":"NOTE","sequence":1}',
      ]) {
        const body = `{"events":[${EVENT},${event},${EVENT}]}`;
        const answer = await trial.send(post(trial, pathOf(runId, "/events"), body));
        assertProblem(answer, 422, "invalid_event", { index: 1 });
      }
      await assertUntouched(trial, runId);
    },
  },
  {
    name: "W9 an invalid body is 400 and writes nothing",
    async run(trial) {
      const runId = await record(trial);
      const path = pathOf(runId, "/events");
      for (const body of [
        '{"events":[',
        `[${EVENT}]`,
        "null",
        "{}",
        `{"events":${EVENT}}`,
        '{"events":[]}',
        `{"events":[${EVENT}],"runId":"r"}`,
        `\ufeff{"events":[${EVENT}]}`,
      ]) {
        assertProblem(await trial.send(post(trial, path, body)), 400, "invalid_request");
      }
      const bytes = new TextEncoder().encode('{"events":[{"eventType":"NOTE","payload":"?"}]}');
      const notUtf8 = { ...post(trial, path, ""), body: bytes.map((b) => (b === 63 ? 0xff : b)) };
      assertProblem(await trial.send(notUtf8), 400, "invalid_request");
      const text = post(trial, path, `{"events":[${EVENT}]}`, { "content-type": "text/plain" });
      assertProblem(await trial.send(text), 400, "invalid_request");
      await assertUntouched(trial, runId);
    },
  },
  {
    name: "W9 1,000 events, a payload of 256 KiB and a body of 4 MiB are taken, one more is not",
    async run(trial) {
      const runId = await record(trial);
      const path = pathOf(runId, "/events");
      const many = appendCall(trial, runId, Array<string>(1_001).fill("NOTE"));
      assertProblem(await trial.send(many), 400, "invalid_request");
      // Two bytes a letter, and the quotes.
      const big = (letters: number): string =>
        `{"events":[{"eventType":"BIG","payload":"${"é".repeat(letters)}"}]}`;
      const long = await trial.send(post(trial, path, big(131_072)));
      assertProblem(long, 413, "payload_too_large");
      const body = `{"events":[${EVENT}]}`;
      const longer = await trial.send(post(trial, path, body.padEnd(4_194_305)));
      assertProblem(longer, 413, "payload_too_large");
      await assertUntouched(trial, runId);
      await land(trial, runId, Array<string>(1_000).fill("NOTE"));
      assertStatus(await trial.send(post(trial, path, big(131_071))), 201);
      assertStatus(await trial.send(post(trial, path, body.padEnd(4_194_304))), 201);
    },
  },
];

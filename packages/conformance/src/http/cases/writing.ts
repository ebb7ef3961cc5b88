import { assert, assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { notes, phase } from "../draft.ts";
import {
  appendCall,
  getRun,
  land,
  pathOf,
  post,
  readPage,
  receiptOf,
  record,
  sequencesOf,
} from "../runs.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const SNAPSHOT = [
  "createdAt",
  "currentPhase",
  "finishedAt",
  "lastSequence",
  "metadata",
  "ownerId",
  "runId",
  "runStatus",
  "updatedAt",
];
const EVENT = '{"eventType":"NOTE"}';

async function assertUntouched(trial: HttpTrial, runId: string): Promise<void> {
  assertEqual((await getRun(trial, runId))["lastSequence"], 0, "lastSequence after the refusal");
}

async function lastOf(trial: HttpTrial, runId: string): Promise<unknown> {
  return (await getRun(trial, runId))["lastSequence"];
}

/** W8, W9, W11: creating and appending. */
export const writing: readonly HttpTrialCase[] = [
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
      assertMembers(answer, { finishedAt: null, metadata: { a: 1 } });
      const location = new URL(answer.headers.get("location") ?? "", trial.baseUrl);
      assertEqual(location.pathname, pathOf(runId), "Location");
      assertEqual(await getRun(trial, runId), run, "the run at its path");
    },
  },
  {
    name: "W8 the owner's own id again is 200 and the run as it stands, another's is 409",
    async run(trial) {
      const runId = `own-${crypto.randomUUID()}`;
      const call = post(trial, "/v1/agent-runs", JSON.stringify({ runId, metadata: 1 }));
      assertStatus(await trial.send(call), 201);
      await land(trial, runId, [phase("p"), "RUN_COMPLETED"]);
      const again = await trial.send({ ...call, body: JSON.stringify({ runId, metadata: 2 }) });
      assertStatus(again, 200);
      assertMembers(again, { lastSequence: 2, runStatus: "completed", metadata: 1 });
      const other = { ...call, headers: { ...call.headers, ...trial.stranger.bearer } };
      assertProblem(await trial.send(other), 409, "run_id_taken");
    },
  },
  {
    name: "W8 of creations of one id that race one is 201 and the rest are 200",
    async run(trial) {
      const call = post(trial, "/v1/agent-runs", JSON.stringify({ runId: crypto.randomUUID() }));
      const answers = await Promise.all(Array.from({ length: 6 }, () => trial.send(call)));
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      assertEqual(statuses, [200, 200, 200, 200, 200, 201], "the statuses");
    },
  },
  {
    name: "W8 an id that is none, an unknown field and a body that is no object are 400",
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
  {
    name: "W9 a batch is appended whole and its receipt says where",
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
    name: "W9 appends that race each get a stretch of their own, without a hole",
    async run(trial) {
      const runId = await record(trial);
      const sizes = Array.from({ length: 16 }, (_, at) => (at % 4) + 1);
      const receipts = await Promise.all(
        sizes.map((size, writer) => land(trial, runId, notes(size, writer * 10))),
      );
      const { events } = await readPage(trial, runId);
      const payloads = events.map(({ payload }) => payload);
      for (const [writer, { firstSequence, lastSequence }] of receipts.entries()) {
        const own = notes(sizes[writer] ?? 0, writer * 10).map((note) =>
          typeof note === "string" ? note : note.payload,
        );
        const there = payloads.slice(firstSequence - 1, lastSequence);
        assertEqual(there, own, `the events from ${firstSequence} to ${lastSequence}`);
      }
      assertEqual(
        sequencesOf({ events }),
        Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, (_, at) => at + 1),
        "the sequences",
      );
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
    name: "W9 a body that is none is 400, and nothing is written",
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
  {
    name: "W11 expectedSequence is the run's last, or the append is refused",
    async run(trial) {
      for (const length of [0, 1, 3]) {
        for (const expected of [0, 1, 2, 3, 4]) {
          const runId = await record(trial, ...Array<string>(length).fill("NOTE"));
          const more = `,"expectedSequence":${expected}`;
          const answer = await trial.send(appendCall(trial, runId, ["NOTE"], {}, more));
          const fits = expected === length;
          if (fits) assertEqual(receiptOf(answer).lastSequence, length + 1, "lastSequence");
          else assertProblem(answer, 412, "sequence_conflict", { lastSequence: length });
          assertEqual(await lastOf(trial, runId), length + (fits ? 1 : 0), "the run's length");
        }
      }
    },
  },
  {
    name: "W11 of racing appends that expect the same sequence one lands",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const call = appendCall(trial, runId, ["NOTE"], {}, ',"expectedSequence":1');
      const answers = await Promise.all(Array.from({ length: 6 }, () => trial.send(call)));
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      assertEqual(statuses, [201, 412, 412, 412, 412, 412], "the statuses");
      assertEqual(await lastOf(trial, runId), 2, "the run's length");
    },
  },
  {
    name: "W11 an expectedSequence that is no sequence is 400",
    async run(trial) {
      const runId = await record(trial);
      for (const expected of ["-1", "1.5", '"0"', "null"]) {
        const more = `,"expectedSequence":${expected}`;
        const answer = await trial.send(appendCall(trial, runId, ["NOTE"], {}, more));
        assertProblem(answer, 400, "invalid_request");
      }
      await assertUntouched(trial, runId);
    },
  },
];

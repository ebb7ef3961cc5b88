import { assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer, HeaderList } from "../call.ts";
import { claim } from "../claims.ts";
import { phase } from "../draft.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { JSON_TYPE } from "../run-calls.ts";
import {
  appendCall,
  getRun,
  land,
  linesCall,
  pathOf,
  poll,
  post,
  readPage,
  receiptOf,
  record,
  tailLive,
} from "../runs.ts";

const ASK = { eventType: "INPUT_REQUESTED", payload: '{"question":"?"}' };

/** Events, or an input, and the status after each. */
const STEPS = [
  ["input", "queued"],
  ["NOTE", "running"],
  ["input", "running"],
  [ASK, "waiting"],
  ["NOTE", "waiting"],
  [phase("b"), "waiting"],
  ["input", "running"],
  [ASK, "waiting"],
  ["RUN_COMPLETED", "completed"],
] as const;

/** Cases of W38 and W39 in `WIRE.md`: a run that waits for a person, and the person's input. */
export const inputs: readonly HttpTrialCase[] = [
  {
    name: "W38 a run waits from a request to the input, in receipt, snapshot, page and lists",
    async run(trial) {
      const runId = await record(trial);
      for (const [draft, status] of STEPS) {
        const receipt =
          draft === "input"
            ? receiptOf(await give(trial, runId, '{"payload":1}'))
            : await land(trial, runId, [draft]);
        const run = await getRun(trial, runId);
        const page = await readPage(trial, runId);
        const shown = [receipt.runStatus, run["runStatus"], page.runStatus];
        const what = `event ${receipt.lastSequence}`;
        assertEqual(shown, [status, status, status], `the status after ${what}`);
        for (const asked of ["queued", "running", "waiting", "live"]) {
          const isThere = asked === status || (asked === "live" && status !== "completed");
          assertEqual(await isListed(trial, asked, runId), isThere, `${asked} after ${what}`);
        }
      }
    },
  },
  {
    name: "W38 a stream says when the run waits, to a reader of the whole log alone",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const stream = await tailLive(trial, runId);
      await stream.until("run_event");
      await land(trial, runId, [ASK]);
      const [asked] = (await stream.until("status")).slice(-1);
      assertEqual(asked?.message["runStatus"], "waiting", "the status after the request");
      for (const [since, status] of ["running", "running", "waiting"].entries()) {
        const later = await tailLive(trial, runId, `since=${since}`);
        const frames = [await later.next()];
        if (since < 2) frames.push(...(await later.until("status")));
        const states = frames.flatMap(({ message }) => message["runStatus"] ?? []);
        assertEqual(states[0], status, `the status of connected at ${since}`);
        assertEqual(states.at(-1), "waiting", `the status that a reader from ${since} has at last`);
        later.leave();
      }
      assertStatus(await give(trial, runId, '{"payload":true}'), 201);
      const [answered] = (await stream.until("status")).slice(-1);
      assertEqual(answered?.message["runStatus"], "running", "the status after the input");
      stream.leave();
    },
  },
  {
    name: "W39 an input is one event with the payload as it was sent, by token or by session",
    async run(trial) {
      const runId = await record(trial);
      const { bearer, session } = trial.owner;
      const bodies = ['{"payload": {"b":1.0, "a":[]}}', "{}", '{"payload":null}'];
      for (const [index, body] of bodies.entries()) {
        for (const credential of [bearer, session]) {
          const headers = { ...credential, ...JSON_TYPE };
          const call = { method: "POST", path: pathOf(runId, "/input"), headers, body };
          const answer = await trial.send(call);
          assertStatus(answer, 201);
          assertEqual(receiptOf(answer).replayed, false, `whether input ${index} is a replay`);
        }
      }
      const { events } = await readPage(trial, runId);
      const payloads = ['{"b":1.0,"a":[]}', "null", "null"].flatMap((text) => [text, text]);
      assertEqual(
        events.map(({ eventType, payload }) => [eventType, payload]),
        payloads.map((payload) => ["INPUT_RECEIVED", payload]),
        "the events",
      );
    },
  },
  {
    name: "W39 an input lands on a claimed run, which keeps its lease and its fence",
    async run(trial) {
      const runId = await record(trial);
      const { fence } = await claim(trial, runId);
      const headers = { "run-fence": String(fence) };
      await land(trial, runId, [ASK], headers);
      assertStatus(await give(trial, runId, '{"payload":"yes"}'), 201);
      await land(trial, runId, ["NOTE"], headers);
      const again = await trial.send(post(trial, pathOf(runId, "/claim"), '{"leaseMs":60000}'));
      assertProblem(again, 409, "claimed");
      await land(trial, runId, ["RUN_COMPLETED"], headers);
      const late = await give(trial, runId, '{"payload":"late"}');
      assertProblem(late, 409, "run_finished", { runStatus: "completed", lastSequence: 4 });
    },
  },
  {
    name: "W39 the same key with the same payload gets the first receipt, even after the end",
    async run(trial) {
      const runId = await record(trial, ASK);
      const key = { "idempotency-key": "k" };
      const early = await give(trial, runId, '{"payload":1,"expectedSequence":7}', key);
      assertProblem(early, 412, "sequence_conflict", { lastSequence: 1 });
      const first = await give(trial, runId, '{"payload":1,"expectedSequence":1}', key);
      assertStatus(first, 201);
      await land(trial, runId, [ASK, "RUN_FAILED"]);
      const again = await give(trial, runId, '{"payload":1}', key);
      assertStatus(again, 200);
      assertEqual(receiptOf(again), { ...receiptOf(first), replayed: true }, "the receipt");
      assertEqual(receiptOf(first).runStatus, "running", "the status in the receipt");
      const other = await give(trial, runId, '{"payload":2}', key);
      assertProblem(other, 422, "idempotency_key_reused");
      assertEqual((await getRun(trial, runId))["lastSequence"], 4, "lastSequence");
    },
  },
  {
    name: "W39 no append has an INPUT_RECEIVED or a type of chats, as JSON or as a line, with a fence or without",
    async run(trial) {
      const free = await record(trial);
      const held = await record(trial);
      const { fence } = await claim(trial, held);
      for (const [runId, headers] of [
        [free, {}],
        [held, { "run-fence": String(fence) }],
      ] as const) {
        for (const type of ["INPUT_RECEIVED", "UI_MESSAGE", "UI_CHUNKS", "UI_PART"]) {
          const batch = appendCall(trial, runId, ["NOTE", type], headers);
          assertProblem(await trial.send(batch), 422, "invalid_event", { index: 1 });
          const line = linesCall(trial, runId, `{"eventType":"${type}"}\n`, headers);
          assertProblem(await trial.send(line), 422, "invalid_event", { line: 1 });
        }
        assertEqual((await getRun(trial, runId))["lastSequence"], 0, "lastSequence");
      }
    },
  },
  {
    name: "W39 a bad input, or another user's, appends nothing",
    async run(trial) {
      const runId = await record(trial);
      const bad = ["1", "[]", '{"input":1}', '{"payload":1,"payload":2}', '{"payload":}'];
      bad.push('{"payload":1,"expectedSequence":"0"}', '{"payload":1,"expectedSequence":-1}');
      for (const body of bad) {
        assertProblem(await give(trial, runId, body), 400, "invalid_request");
      }
      const deep = `{"payload":${"[".repeat(1_001)}${"]".repeat(1_001)}}`;
      assertProblem(await give(trial, runId, deep), 422, "invalid_event");
      const large = `{"payload":"${"x".repeat(262_143)}"}`;
      assertProblem(await give(trial, runId, large), 413, "payload_too_large");
      const theirs = await trial.send({
        ...post(trial, pathOf(runId, "/input"), '{"payload":1}'),
        headers: { ...trial.stranger.bearer, ...JSON_TYPE },
      });
      assertProblem(theirs, 404, "not_found");
      assertProblem(await give(trial, "no-such-run", '{"payload":1}'), 404, "not_found");
      assertMembers(await poll(trial, runId), { lastSequence: 0, runStatus: "queued" });
    },
  },
];

/** Gives an input by the owner's token, with this body unchanged. */
function give(
  trial: HttpTrial,
  runId: string,
  body: string,
  headers: HeaderList = {},
): Promise<Answer> {
  return trial.send(post(trial, pathOf(runId, "/input"), body, headers));
}

async function isListed(trial: HttpTrial, status: string, runId: string): Promise<boolean> {
  const path = `/v1/agent-runs?status=${status}&limit=200`;
  const answer = await trial.send({ path, headers: trial.owner.bearer });
  assertStatus(answer, 200);
  const runs = answer.json()["runs"] as readonly { readonly runId: string }[];
  return runs.some((run) => run.runId === runId);
}

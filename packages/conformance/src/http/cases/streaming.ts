import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HeaderList } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { judgeDelivery } from "../judge-delivery.ts";
import { typesOf } from "../live-stream.ts";
import type { Frame } from "../read-frames.ts";
import { appendedOf, type Draft, notes, phase } from "../draft.ts";
import { deliveryOf, land, pathOf, record, tail, tailLive } from "../runs.ts";

const HEADERS: HeaderList = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

function assertStreamHeaders(headers: Headers): void {
  for (const [name, value] of Object.entries(HEADERS)) {
    assertEqual(headers.get(name), value, `W21: ${name}`);
  }
  assertEqual(headers.get("content-encoding"), null, "W21: Content-Encoding");
}

/** What a stream says of the run's state. */
function statesOf(frames: readonly Frame[]): readonly unknown[] {
  return frames
    .filter(({ message }) => message["type"] !== "run_event")
    .map(({ message: { type, runStatus, currentPhase } }) => [type, runStatus, currentPhase]);
}

async function assertDelivered(
  frames: readonly Frame[],
  drafts: readonly Draft[],
  since = 0,
): Promise<void> {
  const wrong = judgeDelivery(drafts.map(appendedOf), since, deliveryOf(frames));
  if (wrong !== null) throw new Error(wrong);
}

async function sendStream(
  trial: HttpTrial,
  runId: string,
  method: string,
  headers: HeaderList,
  query = "",
): ReturnType<HttpTrial["send"]> {
  return trial.send({ method, path: pathOf(runId, `/stream${query}`), headers });
}

/** W19, W21: who gets a stream, and its head. */
export const streamHeads: readonly HttpTrialCase[] = [
  {
    name: "W19 a bearer token alone gets 401 session_required, beside a session it does no harm",
    async run(trial) {
      const runId = await record(trial, "RUN_COMPLETED");
      const { bearer, session } = trial.owner;
      const alone = await sendStream(trial, runId, "GET", bearer);
      assertProblem(alone, 401, "session_required");
      const both = await tailLive(trial, runId, "", bearer);
      assertEqual(typesOf(await both.rest()).at(-1), "run_finished", "the last frame");
      const heads = [
        (await sendStream(trial, runId, "HEAD", bearer)).status,
        (await sendStream(trial, runId, "HEAD", { ...bearer, ...session })).status,
      ];
      assertEqual(heads, [401, 200], "the statuses of HEAD");
    },
  },
  {
    name: "W19 HEAD answers the headers and ends",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const head = await sendStream(trial, runId, "HEAD", trial.owner.session);
      assertEqual([head.status, head.text], [200, ""], "the answer to HEAD");
      assertStreamHeaders(head.headers);
      const bad = await sendStream(trial, runId, "HEAD", trial.owner.session, "?since=x");
      assertEqual(bad.status, 400, "the status of HEAD with a bad cursor");
    },
  },
  {
    name: "W19 a page of another origin gets 403 and no leave to read it",
    async run(trial) {
      const runId = await record(trial, "RUN_COMPLETED");
      for (const foreign of [
        { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
        { origin: "https://evil.example" },
        { origin: "null" },
        { "sec-fetch-site": "same-site" },
      ]) {
        const headers = { ...trial.owner.session, ...foreign };
        const answer = await sendStream(trial, runId, "GET", headers);
        assertProblem(answer, 403, "cross_site_request");
        const allowed = answer.headers.get("access-control-allow-origin");
        assertEqual(allowed, null, "Access-Control-Allow-Origin");
      }
      const own = { origin: new URL(trial.baseUrl).origin, "sec-fetch-site": "same-origin" };
      const frames = await (await tailLive(trial, runId, "", own)).rest();
      assertEqual(typesOf(frames).at(-1), "run_finished", "the last frame for one's own page");
    },
  },
  {
    name: "W21 the headers are these, whatever the client accepts",
    async run(trial) {
      const runId = await record(trial, "RUN_COMPLETED");
      for (const accept of ["text/event-stream", "*/*", "application/json"]) {
        const asked = { accept, "accept-encoding": "gzip, br" };
        const stream = await tailLive(trial, runId, "", asked);
        assertStreamHeaders(stream.headers);
        await stream.rest();
      }
    },
  },
  {
    name: "W21 the first frame is there at once, of a run without events too",
    async run(trial) {
      const runId = await record(trial);
      const { message } = await (await tailLive(trial, runId)).next();
      assertEqual(
        message,
        {
          type: "connected",
          runId,
          since: 0,
          runStatus: "queued",
          currentPhase: null,
          lastSequence: 0,
        },
        "the first frame",
      );
    },
  },
];

/** W22, W23: what a stream says. */
export const frames: readonly HttpTrialCase[] = [
  {
    name: "W22 a finished run is connected, its events, and run_finished",
    async run(trial) {
      const drafts = ["NOTE", phase("p"), ...notes(3), "RUN_COMPLETED"];
      const runId = await record(trial, ...drafts);
      const all = await (await tailLive(trial, runId)).rest();
      const events = drafts.map(() => "run_event");
      assertEqual(typesOf(all), ["connected", ...events, "run_finished"], "the types");
      await assertDelivered(all, drafts);
      const { retryMs, message } = all[0] ?? {};
      assert(
        retryMs !== undefined && retryMs !== null && message?.["lastSequence"] === 6,
        "connected has a retry and says where the log ends",
      );
    },
  },
  {
    name: "W22 an event on the stream is the event of the page, byte for byte in its payload",
    async run(trial) {
      const drafts = [{ eventType: "NOTE", payload: '{"b":1.0,"a":1e2}' }, "RUN_FAILED"];
      const runId = await record(trial, ...drafts);
      const all = await (await tailLive(trial, runId)).rest();
      const page = await trial.send({
        path: pathOf(runId, "/events"),
        headers: trial.owner.bearer,
      });
      const streamed = all.flatMap(({ message }) => message["event"] ?? []);
      assertEqual(streamed, page.json()["events"], "the events of the stream");
    },
  },
  {
    name: "W22 a change of status or phase is told in a status frame",
    async run(trial) {
      const runId = await record(trial);
      const stream = await tailLive(trial, runId);
      await stream.until("connected");
      const told: unknown[] = [];
      for (const draft of ["NOTE", phase("one"), phase("two")]) {
        await land(trial, runId, [draft]);
        told.push(...statesOf(await stream.until("status")));
      }
      assertEqual(
        told,
        [
          ["status", "running", null],
          ["status", "running", "one"],
          ["status", "running", "two"],
        ],
        "the status frames",
      );
    },
  },
  {
    name: "W22 events that are appended while a reader joins come once each, in order",
    async run(trial) {
      for (let round = 0; round < 5; round++) {
        const runId = await record(trial, ...notes(round));
        const batches = [notes(2, round), notes(1, round + 2), notes(3, round + 3), ["RUN_FAILED"]];
        const joining = Promise.all(
          Array.from({ length: 4 }, async () => (await tailLive(trial, runId)).rest()),
        );
        // Looked at below, unless an append fails first.
        joining.catch(() => {});
        for (const batch of batches) await land(trial, runId, batch);
        const drafts = [...notes(round), ...batches.flat()];
        for (const all of await joining) await assertDelivered(all, drafts);
      }
    },
  },
  {
    name: "W22 events that are appended when a reader has caught up come once each, in order",
    async run(trial) {
      const runId = await record(trial, ...notes(2));
      const stream = await tailLive(trial, runId);
      const all = [...(await stream.until("connected"))];
      all.push(await stream.next(), await stream.next());
      for (const batch of [notes(1, 2), notes(2, 3), ["RUN_COMPLETED"]]) {
        await land(trial, runId, batch);
      }
      all.push(...(await stream.rest()));
      await assertDelivered(all, [...notes(5), "RUN_COMPLETED"]);
    },
  },
  {
    name: "W23 only run_finished says that a run has ended; all else is as of what was sent",
    async run(trial) {
      const drafts = ["NOTE", phase("one"), "NOTE", phase("two"), "RUN_FAILED"];
      const runId = await record(trial, ...drafts);
      const expected = [
        ["queued", null],
        ["running", null],
        ["running", "one"],
        ["running", "one"],
        ["running", "two"],
        ["running", "two"],
      ] as const;
      for (const [since, state] of expected.entries()) {
        const all = await (await tailLive(trial, runId, `since=${since}`)).rest();
        assertEqual(statesOf(all)[0], ["connected", ...state], `the state at ${since}`);
        assertEqual(statesOf(all).at(-1), ["run_finished", "failed", "two"], "the end");
        await assertDelivered(all, drafts, since);
      }
    },
  },
  {
    name: "W23 the end is told once, behind the last event, to a reader that was there",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const stream = await tailLive(trial, runId);
      await stream.until("run_event");
      await land(trial, runId, ["NOTE", phase("last"), "RUN_CANCELLED"]);
      const all = await stream.rest();
      await assertDelivered(all, ["NOTE", "NOTE", phase("last"), "RUN_CANCELLED"], 1);
      assertEqual(statesOf(all).at(-1), ["run_finished", "cancelled", "last"], "the end");
    },
  },
  {
    name: "W24 the stream of a run that nobody can read is a problem, no stream",
    async run(trial) {
      const stream = await tail(trial, "nobodys");
      assertEqual(stream.status, 404, "the status");
    },
  },
];

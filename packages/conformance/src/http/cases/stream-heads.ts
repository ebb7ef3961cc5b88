import { assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HeaderList } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { typesOf } from "../live-stream.ts";
import { pathOf, record, tailLive } from "../runs.ts";

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

async function sendStream(
  trial: HttpTrial,
  runId: string,
  method: string,
  headers: HeaderList,
  query = "",
): ReturnType<HttpTrial["send"]> {
  return trial.send({ method, path: pathOf(runId, `/stream${query}`), headers });
}

/** Cases of W19 and W21 in `WIRE.md`: who gets a stream, and its head. */
export const streamHeads: readonly HttpTrialCase[] = [
  {
    name: "W19 a bearer token alone gets 401 session_required; next to a session it does no harm",
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
    name: "W19 HEAD gets the headers of the stream and ends",
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
    name: "W21 the headers of a stream are the same for every Accept",
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
    name: "W21 the first frame comes at once, even of a run without events",
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

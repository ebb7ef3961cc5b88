import { assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HeaderList } from "../call.ts";
import { appendedOf, type Draft, phase } from "../draft.ts";
import { flood } from "../flood.ts";
import type { HttpCases } from "../http-trial.ts";
import { assertDelivery } from "../judge-delivery.ts";
import type { Frame } from "../read-frames.ts";
import { deliveryOf } from "../wire-run.ts";
import { RUNS_STREAM, withQuery } from "../paths.ts";

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

/** The run's state in the frames of a stream. */
function statesOf(frames: readonly Frame[]): readonly unknown[] {
  return frames
    .filter(({ message }) => message["type"] !== "run_event")
    .map(({ message: { type, runStatus, currentPhase } }) => [type, runStatus, currentPhase]);
}

function assertDelivered(frames: readonly Frame[], drafts: readonly Draft[], since = 0): void {
  assertDelivery(drafts.map(appendedOf), since, deliveryOf(frames));
}

/** Cases of W19 and W21 to W25 in `WIRE.md`: live streams. */
export const streams: HttpCases = {
  "W19 a stream takes the session alone, of one run, of many and of a feed; HEAD gets its headers and ends":
    async ({ owner, send }) => {
      const run = await owner.record("RUN_COMPLETED");
      const { bearer, session } = owner;
      for (const path of [
        run.at("/stream"),
        run.at("/stream", "tail=2"),
        withQuery(RUNS_STREAM, `runs=${run.id}:0`),
        withQuery(RUNS_STREAM, "feed=live"),
      ]) {
        assertProblem(await owner.get(path), 401, "session_required");
        const [alone, head, both] = [
          await send({ method: "HEAD", path, headers: bearer }),
          await send({ method: "HEAD", path, headers: session }),
          await send({ method: "HEAD", path, headers: { ...bearer, ...session } }),
        ];
        assertEqual([alone.status, both.status], [401, 200], `the statuses of ${head.to}`);
        assertEqual([head.status, head.text], [200, ""], `the answer to ${head.to}`);
        assertStreamHeaders(head.headers);
      }
      for (const bad of ["since=x", "tail=0", "since=0&at=x"]) {
        const path = run.at("/stream", bad);
        const { status } = await send({ method: "HEAD", path, headers: session });
        assertEqual(status, 400, `the status of HEAD with ${bad}`);
      }
    },
  "W21 the headers of a stream are the same for every Accept": async ({ owner }) => {
    const run = await owner.record("RUN_COMPLETED");
    for (const accept of ["text/event-stream", "*/*", "application/json"]) {
      const stream = await run.live("", { accept, "accept-encoding": "gzip, br" });
      assertStreamHeaders(stream.headers);
      await stream.rest();
    }
  },
  "W21 the first frame comes at once, even of a run without events": async ({ owner }) => {
    const run = await owner.record();
    const { message } = await (await run.live()).next();
    const state = { runStatus: "queued", currentPhase: null, lastSequence: 0 };
    const owed = { type: "connected", runId: run.id, since: 0, ...state };
    assertEqual(message, owed, "the first frame");
  },
  "W22 a change of status or phase comes in a status frame": async ({ owner }) => {
    const run = await owner.record();
    const stream = await run.live();
    await stream.until("connected");
    for (const [draft, runStatus, currentPhase] of [
      ["NOTE", "running", null],
      [phase("one"), "running", "one"],
      ["INPUT_REQUESTED", "waiting", "one"],
      ["input", "running", "one"],
      [phase("two"), "running", "two"],
    ] as const) {
      if (draft === "input") await run.input('{"payload":1}');
      else await run.land([draft]);
      const states = statesOf(await stream.until("status"));
      assertEqual(states, [["status", runStatus, currentPhase]], "the status frame");
    }
  },
  "W23 only run_finished shows that a run has ended; before that it is running, in its current phase":
    async ({ owner }) => {
      const drafts = ["NOTE", phase("one"), "NOTE", phase("two"), "RUN_FAILED"];
      const run = await owner.record(...drafts);
      for (let since = 0; since <= drafts.length; since++) {
        const all = await (await run.live({ since })).rest();
        const states = [
          ["connected", "running", "two"],
          ["run_finished", "failed", "two"],
        ];
        assertEqual(statesOf(all), states, `the states from ${since} on`);
        assertDelivered(all, drafts, since);
      }
    },
  "W38 a stream shows that the run waits to a reader of the whole log alone": async ({ owner }) => {
    const run = await owner.record("NOTE", "INPUT_REQUESTED");
    for (const [since, status] of ["running", "running", "waiting"].entries()) {
      const stream = await run.live({ since });
      const frames = [await stream.next()];
      if (since < 2) frames.push(...(await stream.until("status")));
      const states = frames.flatMap(({ message }) => message["runStatus"] ?? []);
      assertEqual(states[0], status, `the status of connected at ${since}`);
      assertEqual(states.at(-1), "waiting", `the status that a reader from ${since} has at last`);
      stream.leave();
    }
  },
  "W25 a reader that stalls costs another nothing, and reads on without a gap": async ({
    owner,
  }) => {
    const run = await owner.record("NOTE");
    const still = await run.live();
    const seen = [...(await still.until("run_event"))];
    const going = (await run.live()).rest();
    // Awaited below, unless an append fails first.
    going.catch(() => {});
    const drafts = ["NOTE", ...(await flood(run, "short")), "RUN_COMPLETED"];
    await run.land(["RUN_COMPLETED"]);
    const log = drafts.map(appendedOf);
    assertDelivery(log, 0, deliveryOf(await going), "The reader next to a stalled one");
    seen.push(...(await still.rest()));
    assertDelivery(log, 0, deliveryOf(seen), "The stalled reader");
  },
};

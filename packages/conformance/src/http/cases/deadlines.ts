import { assert, assertEqual } from "../../assert.ts";
import { nextTurn } from "../../next-turn.ts";
import { within } from "../../within.ts";
import { assertStatus } from "../assert-answer.ts";
import { appendedOf, type Draft, notes } from "../draft.ts";
import { flood } from "../flood.ts";
import type { HastyServer } from "../hasty-server.ts";
import type { HttpCases } from "../http-trial.ts";
import { assertDelivery } from "../judge-delivery.ts";
import { type LiveStream, typesOf } from "../live-stream.ts";
import { pause } from "../pause.ts";
import type { Frame } from "../read-frames.ts";
import { follow } from "../readers.ts";
import { deliveryOf, type WireRun } from "../wire-run.ts";
import { reaping } from "./idling.ts";

/** Ends the session of this `Cookie` header. */
export type EndSession = (cookie: string) => void | Promise<void>;

/** The way in which the kit ends a session: by a function of the host, by `DELETE /v1/session`, or not at all. */
export type SessionEnd = EndSession | "delete" | null;

/** More answers than fit into the 32 MiB that a user may leave unread, each of a page's 4 MiB. */
const MOST_HELD = 12;

/** The frames up to the end, which has to come in time, with this as the last, after any frames before it. */
async function endWithin(dueMs: number, stream: LiveStream, code: string, who: string) {
  const frames = await within(dueMs, stream.rest(dueMs), `the end of ${who}`);
  assertEqual(frames.at(-1)?.message["code"], code, `the code of the last frame of ${who}`);
  return frames;
}

/** Fails unless a reader that comes back with its last id reads the run to its end. */
async function assertReadOn(run: WireRun, seen: readonly Frame[], drafts: readonly Draft[]) {
  const id = seen.findLast((frame) => frame.id !== null)?.id ?? "0";
  const rest = await follow(run, Number(id), Infinity);
  assertDelivery(drafts.map(appendedOf), 0, [...deliveryOf(seen), ...rest]);
}

/**
 * The cases that need short deadlines: of W22, W25, W26, W33, W47 and W49 in `WIRE.md`.
 */
export function deadlines(
  { heartbeatMs, maxStreamAgeMs, stallMs, leaseGraceMs }: Omit<HastyServer, "baseUrl">,
  endSession: SessionEnd,
): HttpCases {
  return {
    ...(heartbeatMs === undefined ? {} : heartbeats(heartbeatMs)),
    ...(stallMs === undefined ? {} : stalls(stallMs)),
    ...(heartbeatMs === undefined || endSession === null
      ? {}
      : lostSession(heartbeatMs, endSession)),
    ...(maxStreamAgeMs === undefined ? {} : age(maxStreamAgeMs)),
    ...(leaseGraceMs === undefined ? {} : reaping(leaseGraceMs)),
  };
}

function heartbeats(heartbeatMs: number): HttpCases {
  return {
    "W22 a stream on which nothing happens sends a status after each interval without a frame":
      async ({ owner }) => {
        const run = await owner.record("NOTE");
        const stream = await run.live("since=1");
        await stream.until("connected");
        for (let beat = 0; beat < 2; beat++) {
          const { type, runStatus, currentPhase } = (await stream.next(heartbeatMs)).message;
          assertEqual([type, runStatus, currentPhase], ["status", "running", null], "the frame");
        }
        await run.land(["RUN_COMPLETED"]);
        const types = typesOf(await stream.rest()).filter((type) => type !== "status");
        assertEqual(types, ["run_event", "run_finished"], "what comes after the silence");
      },
    "W47 a silent stream of many runs sends one heartbeat for all of them after each interval":
      async ({ owner }) => {
        const runs = [await owner.record(), await owner.record()];
        const stream = await owner.followRuns(runs.map((run) => [run, 0]));
        for (const _ of runs) await stream.until("connected");
        for (let beat = 0; beat < 2; beat++) {
          const { message } = await stream.next(heartbeatMs);
          assertEqual(message["type"], "heartbeat", "the type of the frame");
        }
        for (const run of runs) await run.land(["RUN_COMPLETED"]);
        const types = typesOf(await stream.rest()).filter((type) => type === "run_finished");
        assertEqual(types.length, runs.length, "how many runs end after the silence");
      },
  };
}

function stalls(stallMs: number): HttpCases {
  return {
    "W25 a reader that takes nothing for too long gets slow_consumer, and misses nothing when it comes back":
      async ({ owner }) => {
        const run = await owner.record();
        const drafts = [...(await flood(run, "long")), "RUN_FAILED"];
        const stream = await run.tail();
        // Beyond the deadline, but before a server cuts a connection that does not take the end either.
        await pause(stallMs * 1.2 + 500);
        const seen = await stream.rest();
        const code = seen.at(-1)?.message["code"];
        assertEqual(
          code,
          "slow_consumer",
          "the code of the last frame of a reader that took nothing",
        );
        await run.land(["RUN_FAILED"]);
        await assertReadOn(run, seen, drafts);
      },
    "W49 an answer that the client does not read is given up after the limit, and its user is served again":
      async ({ owner, follow: open }) => {
        const run = await owner.record();
        await flood(run, "short");
        const whole = await run.poll();
        assertStatus(whole, 200);
        const held: LiveStream[] = [];
        let status = 200;
        while (status === 200 && held.length < MOST_HELD) {
          const answer = await open(owner.call("GET", run.at("/events")));
          ({ status } = answer);
          if (status === 200) held.push(answer);
        }
        assert(status === 200 || status === 429, `a read is 200 or 429, got ${status}`);
        await pause(stallMs * 1.2 + 500);
        const again = await run.poll();
        assertStatus(again, 200);
        assert(again.text === whole.text, "the page is the same as before");
        for (const answer of held) {
          const text = await answer.text().catch(() => null);
          const isWhole = text === null || text === whole.text;
          assert(isWhole, "an answer that was not read for too long ends broken, or is whole");
        }
      },
  };
}

function lostSession(heartbeatMs: number, endSession: EndSession | "delete"): HttpCases {
  return {
    "W26 a session that is ended ends its streams within an interval, silent or busy": async ({
      owner,
      send,
    }) => {
      const [quiet, busy] = [await owner.record(), await owner.record()];
      const streams = [await quiet.live(), await busy.live()];
      for (const stream of streams) await stream.until("connected");
      let isOver = false;
      async function keepBusy(): Promise<void> {
        for (; !isOver; await nextTurn()) await busy.land(["NOTE"]);
      }
      const writing = keepBusy();
      // Awaited below, unless a stream does not end.
      writing.catch(() => {});
      try {
        if (endSession !== "delete") await endSession(owner.session["cookie"] ?? "");
        else {
          const call = { method: "DELETE", path: "/v1/session", headers: owner.session };
          assertStatus(await send(call), 204);
        }
        const ends = streams.map((stream, at) =>
          endWithin(heartbeatMs, stream, "unauthenticated", `the ${["silent", "busy"][at]} stream`),
        );
        await Promise.all(ends);
      } finally {
        isOver = true;
      }
      await writing;
    },
  };
}

function age(maxStreamAgeMs: number): HttpCases {
  return {
    "W26 a stream lives for 0.8 of the longest life at least, ends with max_age, and nothing is lost":
      async ({ owner }) => {
        const run = await owner.record("NOTE");
        const openedAt = performance.now();
        const stream = await run.live();
        const seen = [...(await stream.until("run_event"))];
        await run.land(notes(3));
        seen.push(...(await endWithin(maxStreamAgeMs, stream, "max_age", "the stream")));
        const livedMs = performance.now() - openedAt;
        const least = maxStreamAgeMs * 0.8;
        assert(livedMs >= least, `the stream lives for ${least} ms, got ${livedMs}`);
        await run.land([...notes(2, 3), "RUN_FAILED"]);
        await assertReadOn(run, seen, ["NOTE", ...notes(5), "RUN_FAILED"]);
      },
  };
}

import { assert, assertEqual } from "../../assert.ts";
import { nextTurn } from "../../next-turn.ts";
import { within } from "../../within.ts";
import { assertDelivery } from "../assert-delivery.ts";
import { assertStatus } from "../assert-answer.ts";
import { appendedOf, type Draft, notes } from "../draft.ts";
import { flood } from "../flood.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import type { HeldAnswer } from "../held-answer.ts";
import { type LiveStream, typesOf } from "../live-stream.ts";
import type { Frame } from "../read-frames.ts";
import { deliveryOf, land, pathOf, record, tail, tailLive } from "../runs.ts";
import { followAll } from "../runs-stream.ts";
import { pause } from "../pause.ts";

/** Ends the session of this `Cookie` header. */
export type EndSession = (cookie: string) => void | Promise<void>;

/** The frames up to the end, which has to come in time, with any frames before it. */
function endWithin(dueMs: number, stream: LiveStream, what: string): Promise<readonly Frame[]> {
  return within(dueMs, stream.rest(dueMs), what);
}

function assertEnded(frames: readonly Frame[], code: string, who: string): void {
  const last = frames.at(-1);
  const found = last?.message["code"] ?? last?.message["type"];
  assertEqual(found, code, `the last frame of ${who}`);
}

/** Comes back with the last id that was had, as long as that is worth it, up to the end of the run. */
async function readOn(
  trial: HttpTrial,
  runId: string,
  begun: readonly Frame[],
): Promise<readonly Frame[]> {
  const seen = [...begun];
  for (let before = -1; seen.at(-1)?.message["retryable"] === true;) {
    const id = seen.findLast((frame) => frame.id !== null)?.id ?? "0";
    assert(Number(id) > before, `who comes back with ${id} gets more`);
    before = Number(id);
    seen.push(...(await (await tailLive(trial, runId, "", { "last-event-id": id })).rest()));
  }
  return seen;
}

/** Cases of W22 in `WIRE.md`: silence. */
export function heartbeats(heartbeatMs: number): readonly HttpTrialCase[] {
  return [
    {
      name: "W22 a stream on which nothing happens sends a status after each interval without a frame",
      async run(trial) {
        const runId = await record(trial, "NOTE");
        const stream = await tailLive(trial, runId, "since=1");
        await stream.until("connected");
        for (let beat = 0; beat < 2; beat++) {
          const { message } = await stream.next(heartbeatMs);
          const { type, runStatus, currentPhase } = message;
          assertEqual([type, runStatus, currentPhase], ["status", "running", null], "the frame");
        }
        await land(trial, runId, ["RUN_COMPLETED"]);
        const types = typesOf(await stream.rest()).filter((type) => type !== "status");
        assertEqual(types, ["run_event", "run_finished"], "what comes after the silence");
      },
    },
    {
      name: "W47 a silent stream of many runs sends one heartbeat for all of them after each interval",
      async run(trial) {
        const starts: readonly (readonly [string, number])[] = [
          [await record(trial, "NOTE"), 1],
          [await record(trial), 0],
        ];
        const stream = await followAll(trial, starts);
        for (const _ of starts) await stream.until("connected");
        for (let beat = 0; beat < 2; beat++) {
          const { message } = await stream.next(heartbeatMs);
          assertEqual(message["type"], "heartbeat", "the type of the frame");
        }
        for (const [runId] of starts) await land(trial, runId, ["RUN_COMPLETED"]);
        const types = typesOf(await stream.rest()).filter((type) => type === "run_finished");
        assertEqual(types.length, starts.length, "how many runs end after the silence");
      },
    },
  ];
}

/** Cases of W26 in `WIRE.md`: a session that is lost. */
export function lostSessions(
  heartbeatMs: number,
  endSession: EndSession | undefined,
): readonly HttpTrialCase[] {
  async function end(trial: HttpTrial): Promise<void> {
    const cookie = trial.owner.session["cookie"] ?? "";
    if (endSession !== undefined) return endSession(cookie);
    const answer = await trial.send({ method: "DELETE", path: "/v1/session", headers: { cookie } });
    assertStatus(answer, 204);
  }

  return [
    {
      name: "W26 a session that is ended ends its streams within an interval, silent or busy",
      async run(trial) {
        const silent = await tailLive(trial, await record(trial));
        const runId = await record(trial);
        const busy = await tailLive(trial, runId);
        await Promise.all([silent.until("connected"), busy.until("connected")]);
        let isOver = false;
        async function keepBusy(): Promise<void> {
          for (; !isOver; await nextTurn()) await land(trial, runId, ["NOTE"]);
        }
        const writing = keepBusy();
        // Looked at below, unless a stream does not end.
        writing.catch(() => {});
        try {
          await end(trial);
          const ended = Object.entries({ silent, busy }).map(async ([who, stream]) => {
            const frames = await endWithin(heartbeatMs, stream, `the end of the ${who} stream`);
            assertEnded(frames, "unauthenticated", `the ${who} stream`);
          });
          await Promise.all(ended);
        } finally {
          isOver = true;
        }
        await writing;
      },
    },
  ];
}

/** Cases of W26 in `WIRE.md`: age. */
export function ages(maxStreamAgeMs: number): readonly HttpTrialCase[] {
  return [
    {
      name: "W26 a stream lives for 0.8 of the longest life at least, ends with max_age, and nothing is lost",
      async run(trial) {
        const runId = await record(trial, "NOTE");
        const openedAt = performance.now();
        const stream = await tailLive(trial, runId);
        const seen = [...(await stream.until("run_event"))];
        await land(trial, runId, notes(3));
        seen.push(...(await endWithin(maxStreamAgeMs, stream, "the end of the stream")));
        const livedMs = performance.now() - openedAt;
        assertEnded(seen, "max_age", "the stream");
        const least = maxStreamAgeMs * 0.8;
        assert(livedMs >= least, `the stream lives for ${least} ms, got ${livedMs}`);
        await land(trial, runId, [...notes(2, 3), "RUN_FAILED"]);
        const drafts: readonly Draft[] = ["NOTE", ...notes(5), "RUN_FAILED"];
        const delivery = deliveryOf(await readOn(trial, runId, seen));
        assertDelivery(drafts.map(appendedOf), 0, delivery);
      },
    },
  ];
}

/** Cases of W25 in `WIRE.md`: patience. */
export function patience(stallMs: number): readonly HttpTrialCase[] {
  return [
    {
      name: "W25 a reader that takes nothing for too long gets slow_consumer, and misses nothing when it comes back",
      async run(trial) {
        const runId = await record(trial);
        const drafts = [...(await flood(trial, runId, "long")), "RUN_FAILED"];
        const stream = await tail(trial, runId);
        // Beyond the deadline, but before a server loses its patience with an end that is not taken either.
        await pause(stallMs * 1.2 + 500);
        const seen = await stream.rest();
        assertEnded(seen, "slow_consumer", "the stream of a reader that took nothing");
        await land(trial, runId, ["RUN_FAILED"]);
        const delivery = deliveryOf(await readOn(trial, runId, seen));
        assertDelivery(drafts.map(appendedOf), 0, delivery);
      },
    },
  ];
}

/** More answers than fit into the 32 MiB that a user may leave unread, each of a page's 4 MiB. */
const MOST_HELD = 12;

/** Cases of W49 in `WIRE.md`: for how long a server keeps answers that are not read. */
export function unreadAnswers(stallMs: number): readonly HttpTrialCase[] {
  return [
    {
      name: "W49 an answer that the client does not read is given up after the limit, and its user is served again",
      async run(trial) {
        const runId = await record(trial);
        await flood(trial, runId, "short");
        const call = { path: pathOf(runId, "/events"), headers: trial.owner.bearer };
        const whole = await trial.send(call);
        assertStatus(whole, 200);
        const held: HeldAnswer[] = [];
        let { status } = whole;
        while (status === 200 && held.length < MOST_HELD) {
          const answer = await trial.hold(call);
          ({ status } = answer);
          if (status === 200) held.push(answer);
        }
        assert(status === 200 || status === 429, `a read is 200 or 429, got ${status}`);
        await pause(stallMs * 1.2 + 500);
        const again = await trial.send(call);
        assertStatus(again, 200);
        assert(again.text === whole.text, "the page is the same as before");
        for (const answer of held) {
          const text = await answer.read().catch(() => null);
          assert(
            text === null || text === whole.text,
            "an answer that was not read for too long ends broken, or is whole",
          );
        }
      },
    },
  ];
}

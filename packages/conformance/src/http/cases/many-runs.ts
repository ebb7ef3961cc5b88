import { assert, assertEqual } from "../../assert.ts";
import { assertDelivery } from "../assert-delivery.ts";
import { assertProblem } from "../assert-answer.ts";
import { appendedOf, type Draft, notes } from "../draft.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import type { Frame } from "../read-frames.ts";
import { followAll, RUNS_STREAM_PATH } from "../runs-stream.ts";
import { games, playGame } from "../runs-game.ts";
import { deliveryOf, land, post, record } from "../runs.ts";

const MOST_RUNS = 100;
const MOST_STREAMS = 32;

/** Values of `runs` that every server refuses. */
const BAD: readonly string[] = [
  "",
  "a",
  "a:",
  ":1",
  "a:x",
  "a:01",
  "a:1.5",
  "a:-0",
  "a:-1001",
  "a:--1",
  "a%20b:1",
  "a:1,",
  ",a:1",
  "a:1;b:1",
  "a:1,a:2",
  "a:1&runs=b:1",
  Array.from({ length: MOST_RUNS + 1 }, (_, at) => `r${at}:0`).join(),
];

function framesOf(runId: string, frames: readonly Frame[]): readonly Frame[] {
  return frames.filter(({ message }) => message["runId"] === runId);
}

/** Cases of W47 in `WIRE.md`: many runs on one stream. */
export const manyRuns: readonly HttpTrialCase[] = [
  {
    name: "W47 each run has its events after its own cursor and its end, and the stream ends after the last",
    async run(trial) {
      const logs: (readonly Draft[])[] = [
        [...notes(4), "RUN_COMPLETED"],
        [...notes(7), "RUN_FAILED"],
        ["RUN_CANCELLED"],
      ];
      const starts: (readonly [string, number])[] = [];
      for (const [at, log] of logs.entries()) starts.push([await record(trial, ...log), at * 2]);
      const [last] = starts;
      assert(last !== undefined, "there are runs");
      starts.splice(2, 1, [starts[2]?.[0] ?? "", 0]);
      const frames = await (await followAll(trial, starts)).rest();
      assertEqual(frames.at(-1)?.message["type"], "stream_finished", "the type of the last frame");
      assertEqual(frames.at(-1)?.retryMs, 3_600_000, "the retry of the last frame");
      for (const [at, [runId, since]] of starts.entries()) {
        const log = (logs[at] ?? []).map(appendedOf);
        assertDelivery(log, since, deliveryOf(framesOf(runId, frames)), `The run ${at + 1}`);
      }
    },
  },
  {
    name: "W47 another user's run and one that does not exist end alone, with the same error",
    async run(trial) {
      const own = await record(trial, "NOTE");
      const headers = { ...trial.stranger.bearer };
      const created = await trial.send(post(trial, "/v1/agent-runs", "{}", headers));
      const other = String(created.json()["runId"]);
      const stream = await followAll(trial, [
        [other, 0],
        [own, 0],
        ["nobodys", 0],
      ]);
      const frames: Frame[] = [];
      while (framesOf(other, frames).length + framesOf("nobodys", frames).length < 2)
        frames.push(await stream.next());
      const [mine, none] = [other, "nobodys"].map((runId) => {
        const { runId: _, ...rest } = framesOf(runId, frames)[0]?.message ?? {};
        return rest;
      });
      assertEqual(mine, none, "the error of another user's run, and that of none");
      assertEqual(mine?.["code"], "not_found", "the code");
      await land(trial, own, ["RUN_COMPLETED"]);
      frames.push(...(await stream.rest()));
      const log = ["NOTE", "RUN_COMPLETED"].map(appendedOf);
      assertDelivery(log, 0, deliveryOf(framesOf(own, frames)), "The run that goes on");
    },
  },
  {
    name: "W47 a cursor past the end of a run ends that run alone, and says where its log ends",
    async run(trial) {
      const [ahead, own] = [await record(trial, "NOTE"), await record(trial, "RUN_COMPLETED")];
      const stream = await followAll(trial, [
        [ahead, 5],
        [own, 0],
      ]);
      const frames = await stream.rest();
      const [failed] = framesOf(ahead, frames);
      const { type, code, lastSequence } = failed?.message ?? {};
      assertEqual([type, code, lastSequence], ["error", "cursor_ahead", 1], "the run's only frame");
      assertDelivery([appendedOf("RUN_COMPLETED")], 0, deliveryOf(framesOf(own, frames)));
    },
  },
  {
    name: "W47 runs that are not 1 to 100 entries, each an id with a cursor or a tail, and each once, are 400",
    async run(trial) {
      for (const runs of BAD) {
        const path = `${RUNS_STREAM_PATH}?runs=${runs}`;
        assertProblem(
          await trial.send({ path, headers: trial.owner.session }),
          400,
          "invalid_request",
        );
      }
      const { session } = trial.owner;
      assertProblem(
        await trial.send({ path: RUNS_STREAM_PATH, headers: session }),
        400,
        "invalid_request",
      );
    },
  },
  {
    name: "W47 the stream of many runs takes the session alone, and HEAD shows its head",
    async run(trial) {
      const path = `${RUNS_STREAM_PATH}?runs=${await record(trial, "NOTE")}:0`;
      const bearer = await trial.send({ path, headers: trial.owner.bearer });
      assertProblem(bearer, 401, "session_required");
      assertProblem(await trial.send({ path }), 401, "unauthenticated");
      const head = await trial.send({ method: "HEAD", path, headers: trial.owner.session });
      assertEqual([head.status, head.text], [200, ""], "the answer to HEAD");
      const type = head.headers.get("content-type") ?? "";
      assert(type.startsWith("text/event-stream"), `HEAD shows a stream, got ${type}`);
    },
  },
  {
    name: "W47 it counts as one stream of its user, however many runs it has",
    async run(trial) {
      const { session } = trial.stranger;
      const types: unknown[] = [];
      const runs = Array.from({ length: MOST_STREAMS + 1 }, (_, at) => [`none-${at}`, 0] as const);
      const headers = { ...trial.stranger.bearer };
      const created = await trial.send(post(trial, "/v1/agent-runs", "{}", headers));
      const live = [String(created.json()["runId"]), 0] as const;
      for (let opened = 0; opened < MOST_STREAMS + 1; opened++) {
        const stream = await followAll(trial, [live, ...runs], session);
        const { message } = await stream.next();
        types.push(message["code"] ?? message["type"]);
        if (message["code"] === "overloaded") break;
      }
      assert(types[1] === "stream_opened", `the second stream is open, got ${String(types[1])}`);
      assertEqual(types.at(-1), "overloaded", `the first frame of stream ${types.length}`);
    },
  },
  {
    name: "W47 no run can be created with the id of the path",
    async run(trial) {
      const answer = await trial.send(post(trial, "/v1/agent-runs", '{"runId":"stream"}'));
      assertProblem(answer, 400, "invalid_request");
    },
  },
  {
    name: "W47 in any set of runs, at any cursors, with any appends and disconnects, each run's events come once and in order",
    async run(trial) {
      await trial.check(games, (game) => playGame(trial, game), { kind: "wirePrograms" });
    },
  },
];

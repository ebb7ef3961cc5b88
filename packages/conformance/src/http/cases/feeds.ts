import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import { notes } from "../draft.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import type { LiveStream } from "../live-stream.ts";
import type { Frame } from "../read-frames.ts";
import { followFeed, RUNS_STREAM_PATH } from "../runs-stream.ts";
import { getRun, land, pathOf, post } from "../runs.ts";
import { createIn, newTopic } from "../topic-runs.ts";

/** Appends that come faster than states may. */
const MANY_EVENTS = 60;
/** The least pause between two states of a run, less what a clock may be off. */
const PAUSE_MS = 200;

/** The list that a reader of a feed has after some of its frames. */
interface Known {
  readonly runs: Map<string, Readonly<Record<string, unknown>>>;
  readonly gone: string[];
  readonly last: Map<string, unknown>;
  same: boolean[];
  version: string;
}

function take(known: Known, { message }: Frame): void {
  const { type } = message;
  if (type === "feed_started") known.same.push(message["same"] === true);
  if (type === "run_gone") known.gone.push(String(message["runId"]));
  if (type === "feed_version") known.version = String(message["version"]);
  if (type !== "run") return;
  const run = message["run"] as Readonly<Record<string, unknown>>;
  known.runs.set(String(run["runId"]), run);
  if ("last" in message) known.last.set(String(run["runId"]), message["last"]);
}

/** Reads up to the first frame for which this holds. */
async function readTo(stream: LiveStream, isLast: (frame: Frame) => boolean): Promise<Known> {
  const known: Known = { runs: new Map(), gone: [], last: new Map(), same: [], version: "" };
  for (;;) {
    const frame = await stream.next();
    take(known, frame);
    if (isLast(frame)) return known;
  }
}

/** Reads up to the next version. */
function toVersion(stream: LiveStream): Promise<Known> {
  return readTo(stream, ({ message }) => message["type"] === "feed_version");
}

/** Reads until the run comes in this status. */
function toStatus(stream: LiveStream, runId: string, status: string): Promise<Known> {
  return readTo(stream, ({ message }) => {
    const run = Object(message["run"]) as Readonly<Record<string, unknown>>;
    return run["runId"] === runId && run["runStatus"] === status;
  });
}

async function remove(trial: HttpTrial, runId: string): Promise<void> {
  const call = { method: "DELETE", path: pathOf(runId), headers: trial.owner.bearer };
  assertStatus(await trial.send(call), 204);
}

/** Cases of W48 in `WIRE.md`: a feed on a live stream. Each topic is of one case alone. */
export const feeds: readonly HttpTrialCase[] = [
  {
    name: "W48 a feed has each run that is created, gets events, ends or is removed",
    async run(trial) {
      const topic = newTopic();
      const stream = await followFeed(trial, { feed: "live", topic });
      await toVersion(stream);
      const runId = await createIn(trial, topic);
      await createIn(trial, newTopic());
      const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["queued", async () => {}],
        ["running", () => land(trial, runId, notes(2))],
        ["failed", () => land(trial, runId, ["RUN_FAILED"])],
      ];
      for (const [status, step] of steps) {
        await step();
        const { runs, gone } = await toStatus(stream, runId, status);
        assertEqual([...runs], [[runId, await getRun(trial, runId)]], `the ${status} run`);
        assertEqual(gone, [], "the runs that are gone");
      }
      await remove(trial, runId);
      const { runs, gone } = await readTo(stream, ({ message }) => message["type"] === "run_gone");
      assertEqual([[...runs.keys()], gone], [[], [runId]], "what comes of a removal");
    },
  },
  {
    name: "W48 each run of a feed comes with its last event if that is asked for, and there is one",
    async run(trial) {
      const topic = newTopic();
      const [queued, running] = [await createIn(trial, topic), await createIn(trial, topic)];
      await land(trial, running, notes(3));
      const page = `${pathOf(running, "/events")}?since=2`;
      const { events } = (await trial.send({ path: page, headers: trial.owner.bearer })).json();
      for (const last of ["true", "false"]) {
        const stream = await followFeed(trial, { feed: "live", topic, last });
        const known = await toVersion(stream);
        const expected = last === "true" ? [[running, (events as readonly unknown[])[0]]] : [];
        assertEqual([...known.last], expected, `the last events with last=${last}`);
        assertEqual(known.runs.has(queued), true, "whether the run without events comes");
        stream.leave();
      }
    },
  },
  {
    name: "W48 a reader of a feed that comes back with its version gets no run, and the whole list once that has changed",
    async run(trial) {
      const topic = newTopic();
      const ids = [await createIn(trial, topic), await createIn(trial, topic)];
      const [changed = "", removed = ""] = ids;
      await land(trial, removed, ["RUN_COMPLETED"]);
      const first = await followFeed(trial, { feed: "live", topic, have: "" });
      const { version: have } = await toVersion(first);
      first.leave();
      const idle = await followFeed(trial, { feed: "live", topic, have });
      const nothing = await toVersion(idle);
      const owed = [[], [true], have];
      assertEqual(
        [[...nothing.runs.keys()], nothing.same, nothing.version],
        owed,
        "what comes if nothing has changed",
      );
      await land(trial, changed, ["NOTE"]);
      assertEqual(
        [...(await toVersion(idle)).runs.keys()],
        [changed],
        "what comes of a change after that",
      );
      idle.leave();
      await remove(trial, removed);
      const back = await followFeed(trial, { feed: "live", topic, have });
      const { runs, same } = await toVersion(back);
      assertEqual([...runs], [[changed, await getRun(trial, changed)]], "the runs of the list");
      assertEqual(same, [false], "whether the list is the same");
      back.leave();
    },
  },
  {
    name: "W48 a feed and runs are on one stream, which goes on when its runs have ended",
    async run(trial) {
      const topic = newTopic();
      const [one, other] = [await createIn(trial, topic), await createIn(trial, topic)];
      const stream = await followFeed(trial, { runs: `${one}:0`, feed: "live", topic });
      await toVersion(stream);
      await land(trial, one, ["NOTE", "RUN_COMPLETED"]);
      const owed = new Set(["run_event", "run_finished", "run"]);
      while (owed.size > 0) owed.delete(String((await stream.next()).message["type"]));
      await land(trial, other, ["RUN_COMPLETED"]);
      await toStatus(stream, other, "completed");
    },
  },
  {
    name: "W48 a feed has the caller's own runs, also with the version of another user's list, and theirs never come",
    async run(trial) {
      const topic = newTopic();
      const mine = await createIn(trial, topic);
      const { version: have } = await toVersion(await followFeed(trial, { feed: "live", topic }));
      const body = JSON.stringify({ topic });
      const create = post(trial, "/v1/agent-runs", body, trial.stranger.bearer);
      const theirs = String((await trial.send(create)).json()["runId"]);
      const { session } = trial.stranger;
      const stream = await followFeed(trial, { feed: "live", topic, have }, session);
      const { runs, same } = await toVersion(stream);
      assertEqual([[...runs.keys()], same], [[theirs], [false]], "the stranger's feed");
      await land(trial, mine, ["RUN_COMPLETED"]);
      const append = post(
        trial,
        pathOf(theirs, "/events"),
        '{"events":[{"eventType":"NOTE"}]}',
        trial.stranger.bearer,
      );
      assertStatus(await trial.send(append), 201);
      const later = await toStatus(stream, theirs, "running");
      assertEqual([...later.runs.keys()], [theirs], "the runs of the stranger's feed");
    },
  },
  {
    name: "W48 a feed sends at most four states a second of a run with many events, and in the end the last one",
    async run(trial) {
      const topic = newTopic();
      const runId = await createIn(trial, topic);
      const stream = await followFeed(trial, { feed: "live", topic });
      await toVersion(stream);
      const began = performance.now();
      for (let at = 0; at < MANY_EVENTS; at++) await land(trial, runId, ["NOTE"]);
      let states = 0;
      await readTo(stream, ({ message }) => {
        states += message["type"] === "run" ? 1 : 0;
        const run = Object(message["run"]) as Readonly<Record<string, unknown>>;
        return run["lastSequence"] === MANY_EVENTS;
      });
      const most = 2 + (performance.now() - began) / PAUSE_MS;
      assert(states <= most, `at most ${Math.floor(most)} states come, got ${states}`);
    },
  },
  {
    name: "W48 a feed takes the session alone; bad values, and those of a feed without one, are 400 and named",
    async run(trial) {
      const { session, bearer } = trial.owner;
      const path = `${RUNS_STREAM_PATH}?feed=live`;
      assertProblem(await trial.send({ path, headers: bearer }), 401, "session_required");
      const head = await trial.send({ method: "HEAD", path, headers: session });
      assertEqual([head.status, head.text], [200, ""], "the answer to HEAD");
      const runs = `runs=${await createIn(trial, newTopic())}:0`;
      for (const [name, query] of [
        ["feed", "feed=none"],
        ["feed", "feed="],
        ["feed", "feed=all"],
        ["feed", "feed=live&feed=live"],
        ["topic", "feed=live&topic="],
        ["last", "feed=live&last=1"],
        ["last", "feed=live&last="],
        ["topic", `${runs}&topic=tea`],
        ["last", `${runs}&last=true`],
        ["have", `${runs}&have=`],
        ["runs", "feed=live&runs="],
      ] as const) {
        const answer = await trial.send({ path: `${RUNS_STREAM_PATH}?${query}`, headers: session });
        assertProblem(answer, 400, "invalid_request");
        const { detail } = answer.json();
        const isNamed = new RegExp(`\\b${name}\\b|entry`).test(String(detail));
        assert(isNamed, `the problem of ${query} names \`${name}\`, got ${String(detail)}`);
      }
    },
  },
];

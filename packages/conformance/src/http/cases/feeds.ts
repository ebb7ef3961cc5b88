import { assert, assertEqual } from "../../assert.ts";
import { assertStatus } from "../assert-answer.ts";
import { notes } from "../draft.ts";
import type { HttpCases } from "../http-trial.ts";
import type { LiveStream } from "../live-stream.ts";
import type { Frame } from "../read-frames.ts";
import { type WireRun } from "../wire-run.ts";
import { idsIn, newTopic, runsIn, type WireUser } from "../wire-user.ts";
import { RUNS, RUNS_STREAM, withQuery } from "../paths.ts";

type Fields = Readonly<Record<string, unknown>>;
type Parameters = Readonly<Record<string, string>>;

/** The number of newest runs in a list. */
const NEWEST = 50;
/** Appends that come faster than states may. */
const MANY_EVENTS = 60;
/** The least pause between two states of a run, less what a clock may be off. */
const PAUSE_MS = 200;

/** Asks for a list once. */
async function poll(user: WireUser, query: Parameters): Promise<Fields> {
  const answer = await user.get(withQuery(RUNS, { feed: "live", ...query }));
  assertStatus(answer, 200);
  return answer.json();
}

/** Follows a list. */
function follow(user: WireUser, query: Parameters): Promise<LiveStream> {
  return user.follow(RUNS_STREAM, { feed: "live", ...query });
}

/** Reads up to the first frame for which this holds. @returns what the frames bring to the reader */
async function readTo(
  stream: LiveStream,
  isLast: (message: Frame["message"], run: Fields) => boolean,
) {
  const messages: Frame["message"][] = [];
  const runOf = (message: Frame["message"]): Fields => Object(message["run"]) as Fields;
  do messages.push((await stream.next()).message);
  while (!messages.slice(-1).every((last) => isLast(last, runOf(last))));
  const ofType = (type: string): Frame["message"][] =>
    messages.filter((message) => message["type"] === type);
  const states = ofType("run");
  const withLast = states.filter((message) => "last" in message);
  return {
    runs: new Map(states.map((message) => [String(runOf(message)["runId"]), runOf(message)])),
    gone: ofType("run_gone").map((message) => String(message["runId"])),
    last: new Map(withLast.map((message) => [String(runOf(message)["runId"]), message["last"]])),
    same: ofType("feed_started").map((message) => message["same"]),
    version: String(ofType("feed_version").at(-1)?.["version"]),
    /** The number of states that came. */
    states: states.length,
  };
}

/** Reads up to the next version. */
function toVersion(stream: LiveStream) {
  return readTo(stream, ({ type }) => type === "feed_version");
}

/** Reads until the run comes in this status. */
function toStatus(stream: LiveStream, { id }: WireRun, status: string) {
  return readTo(stream, (_, run) => run["runId"] === id && run["runStatus"] === status);
}

/** Cases of W48 in `WIRE.md`: a user's list, polled and followed. Each topic is of one case alone. */
export const feeds: HttpCases = {
  "W48 a list has the live runs and the newest 50 of its topic, newest first, each as it is, and none of another user":
    async ({ owner, stranger }) => {
      const topic = newTopic();
      const runs: WireRun[] = [];
      for (let at = 0; at < NEWEST + 3; at++) runs.push(await owner.createNew({ topic }));
      await owner.createNew({ topic: newTopic() });
      for (const run of runs.slice(1)) await run.land(["RUN_COMPLETED"]);
      const answer = await owner.list({ feed: "live", topic });
      const list = answer.json();
      assertEqual(Object.keys(list).toSorted(), ["more", "runs", "version"], "the fields");
      const expected = [...runs.slice(0, 1), ...runs.slice(-NEWEST)].toReversed();
      const ids = expected.map(({ id }) => id);
      assertEqual(idsIn(answer), ids, "the runs of the list");
      assertEqual(list["more"], false, "whether there are older live runs");
      assertEqual(runsIn(answer)[0], await expected[0]?.read(), "the newest run");
      const theirs = await stranger.list({ feed: "live", topic });
      assertEqual(idsIn(theirs), [], "the stranger's list");
    },
  "W48 a list that still has a version is the same, until a run is created, gets an event, ends or is removed":
    async ({ owner }) => {
      const topic = newTopic();
      const [run, other] = [await owner.createNew({ topic }), await owner.createNew({ topic })];
      for (const step of [
        () => run.land(["NOTE"]),
        () => run.land(["RUN_COMPLETED"]),
        () => owner.createNew({ topic }),
        () => run.remove(),
      ]) {
        const { version } = await poll(owner, { topic });
        const have = String(version);
        const same = await poll(owner, { topic, have });
        assertEqual(same, { same: true, version }, "an unchanged list");
        // An answer that is held for the change.
        const held = poll(owner, { topic, have, wait: "30" });
        await step();
        const { runs = [] } = await held;
        const isThere = (runs as readonly Fields[]).some(({ runId }) => runId === other.id);
        assert(isThere, "the whole list comes after a change");
        // It is of a time after the request.
        const now = await poll(owner, { topic, have });
        assert(now["same"] !== true, "the version is another");
      }
    },
  "W48 each run of a list comes with its last event if that is asked for, and there is one":
    async ({ owner }) => {
      const topic = newTopic();
      const [queued, running] = [
        await owner.createNew({ topic }),
        await owner.createNew({ topic }),
      ];
      await running.land(notes(3));
      const { events } = (await running.poll("since=2")).json();
      const [event] = events as readonly unknown[];
      for (const last of ["true", "false"]) {
        const expected = last === "true" ? { [running.id]: event } : undefined;
        const list = await poll(owner, { topic, last });
        assertEqual(list["last"], expected, `the last events of a poll with last=${last}`);
        const known = await toVersion(await follow(owner, { topic, last }));
        const found = Object.fromEntries(known.last);
        assertEqual(found, { ...expected }, `the last events of a feed with last=${last}`);
        assert(known.runs.has(queued.id), "the run without events comes");
      }
    },
  "W48 a feed has each run that is created, gets events, ends or is removed": async ({ owner }) => {
    const topic = newTopic();
    const stream = await follow(owner, { topic });
    await toVersion(stream);
    const run = await owner.createNew({ topic });
    await owner.createNew({ topic: newTopic() });
    for (const [status, drafts] of [
      ["queued", []],
      ["running", notes(2)],
      ["failed", ["RUN_FAILED"]],
    ] as const) {
      if (drafts.length > 0) await run.land(drafts);
      const { runs, gone } = await toStatus(stream, run, status);
      assertEqual([...runs], [[run.id, await run.read()]], `the ${status} run`);
      assertEqual(gone, [], "the runs that are gone");
    }
    await run.remove();
    const { runs, gone } = await readTo(stream, ({ type }) => type === "run_gone");
    assertEqual([[...runs.keys()], gone], [[], [run.id]], "what comes of a removal");
  },
  "W48 a reader of a feed that comes back with its version gets no run, and the whole list once that has changed":
    async ({ owner }) => {
      const topic = newTopic();
      const [changed, removed] = [
        await owner.createNew({ topic }),
        await owner.createNew({ topic }),
      ];
      await removed.land(["RUN_COMPLETED"]);
      const { version: have } = await toVersion(await follow(owner, { topic, have: "" }));
      const idle = await follow(owner, { topic, have });
      const nothing = await toVersion(idle);
      const found = [[...nothing.runs.keys()], nothing.same, nothing.version];
      assertEqual(found, [[], [true], have], "what comes if nothing has changed");
      await changed.land(["NOTE"]);
      const ids = [...(await toVersion(idle)).runs.keys()];
      assertEqual(ids, [changed.id], "what comes of a change after that");
      idle.leave();
      await removed.remove();
      const { runs, same } = await toVersion(await follow(owner, { topic, have }));
      assertEqual([...runs], [[changed.id, await changed.read()]], "the runs of the list");
      assertEqual(same, [false], "whether the list is the same");
    },
  "W48 a feed and runs are on one stream, which goes on when its runs have ended": async ({
    owner,
  }) => {
    const topic = newTopic();
    const [one, other] = [await owner.createNew({ topic }), await owner.createNew({ topic })];
    const stream = await follow(owner, { runs: `${one.id}:0`, topic });
    await toVersion(stream);
    await one.land(["NOTE", "RUN_COMPLETED"]);
    const owed = new Set(["run_event", "run_finished", "run"]);
    while (owed.size > 0) owed.delete(String((await stream.next()).message["type"]));
    await other.land(["RUN_COMPLETED"]);
    await toStatus(stream, other, "completed");
  },
  "W48 a feed has the caller's own runs, also with the version of another user's list, and theirs never come":
    async ({ owner, stranger }) => {
      const topic = newTopic();
      const mine = await owner.createNew({ topic });
      const { version: have } = await toVersion(await follow(owner, { topic }));
      const theirs = await stranger.createNew({ topic });
      const stream = await follow(stranger, { topic, have });
      const { runs, same } = await toVersion(stream);
      assertEqual([[...runs.keys()], same], [[theirs.id], [false]], "the stranger's feed");
      await mine.land(["RUN_COMPLETED"]);
      await theirs.land(["NOTE"]);
      const later = await toStatus(stream, theirs, "running");
      assertEqual([...later.runs.keys()], [theirs.id], "the runs of the stranger's feed");
    },
  "W48 a feed sends at most four states a second of a run with many events, and in the end the last one":
    async ({ owner }) => {
      const topic = newTopic();
      const run = await owner.createNew({ topic });
      const stream = await follow(owner, { topic });
      await toVersion(stream);
      const began = performance.now();
      for (let at = 0; at < MANY_EVENTS; at++) await run.land(["NOTE"]);
      const isNewest = (_: unknown, state: Fields) => state["lastSequence"] === MANY_EVENTS;
      const { states } = await readTo(stream, isNewest);
      const most = 2 + (performance.now() - began) / PAUSE_MS;
      assert(states <= most, `at most ${Math.floor(most)} states come, got ${states}`);
    },
};

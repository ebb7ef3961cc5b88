import { assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import { notes } from "../draft.ts";
import { moved, timesOf } from "../event-times.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import {
  land,
  pageOf,
  pathOf,
  poll,
  readPage,
  record,
  sequencesOf,
  tail,
  tailLive,
} from "../runs.ts";

/** The leaves of a run that take `at`. */
const LEAVES = ["/events", "/stream"] as const;

/** Differences that make a time that of another event, in milliseconds. */
const OFF = [-86_400_000, -1_000, -1, 1, 1_000];

/** Queries that every server refuses. `AT` is the time of the event 2. */
const BAD: readonly string[] = [
  "since=2&at=",
  "since=2&at",
  "since=2&at=x",
  "since=2&at=2",
  "since=2&at=2026-01-31",
  "since=2&at=2026-01-31T08:00:00Z",
  "since=2&at=2026-01-31T08:00:00.000",
  "since=2&at=2026-01-31T08:00:00.000z",
  "since=2&at=2026-01-31T08:00:00.0000Z",
  "since=2&at=2026-01-31T08:00:00.000%2B00:00",
  "since=2&at=2026-02-30T08:00:00.000Z",
  "since=2&at=%20AT",
  "since=2&at=AT&at=AT",
  "at=AT",
  "since=0&at=AT",
  "tail=1&at=AT",
];

/** Cases of W46 in `WIRE.md`: readers that say which history they have. */
export const histories: readonly HttpTrialCase[] = [
  {
    name: "W46 a page with another time of its event is history_changed, with wait and with an ETag too",
    async run(trial) {
      const runId = await record(trial, ...notes(4));
      const times = await timesOf(trial, runId);
      const headers = { "if-none-match": "*" };
      for (let since = 1; since <= 4; since++) {
        for (const off of OFF) {
          const query = `since=${since}&at=${moved(times[since - 1], off)}`;
          assertChanged(await poll(trial, runId, query), 4);
          assertChanged(await poll(trial, runId, `${query}&wait=30`), 4);
          assertChanged(await poll(trial, runId, query, headers), 4);
        }
      }
    },
  },
  {
    name: "W46 with at, a cursor past the end is history_changed, also right after a finished run; without, all is as before",
    async run(trial) {
      const live = await record(trial, ...notes(2));
      const ended = await record(trial, "NOTE", "RUN_COMPLETED");
      for (const runId of [live, ended]) {
        const at = (await timesOf(trial, runId))[1];
        for (const since of ["3", "4", "900", "9".repeat(30)]) {
          assertChanged(await poll(trial, runId, `since=${since}&at=${at}`), 2);
          await assertChangedStream(trial, runId, `since=${since}&at=${at}`, 2);
        }
        assertProblem(await poll(trial, runId, "since=4"), 409, "cursor_ahead");
      }
      assertEqual(sequencesOf(await readPage(trial, ended, "since=3")), [], "the end's page");
    },
  },
  {
    name: "W46 a valid Last-Event-ID wins: at belongs to since, and does not count",
    async run(trial) {
      const runId = await record(trial, ...notes(4));
      const at = moved((await timesOf(trial, runId))[2], 1);
      for (const [header, cursor] of [
        ["1", 1],
        ["3", 3],
        ["4", 4],
        ["0", 0],
      ] as const) {
        const headers = { "last-event-id": header };
        const stream = await tailLive(trial, runId, `since=3&at=${at}`, headers);
        const { message } = await stream.next();
        stream.leave();
        const found = [message["type"], message["since"]];
        assertEqual(found, ["connected", cursor], `the first frame with Last-Event-ID ${header}`);
      }
      await assertChangedStream(trial, runId, `since=3&at=${at}`, 4, { "last-event-id": "x" });
    },
  },
  {
    name: "W46 on a stream of many runs, a run whose event has another time ends alone, and the others go on",
    async run(trial) {
      const [lost, same] = [await record(trial, ...notes(3)), await record(trial, ...notes(3))];
      const [wrong, right] = [(await timesOf(trial, lost))[1], (await timesOf(trial, same))[1]];
      const entries = [`${lost}:2@${moved(wrong, 1)}`, `${same}:2@${right}`];
      const path = `/v1/agent-runs/stream?runs=${entries.join()}`;
      const stream = await trial.follow({ path, headers: trial.owner.session });
      await land(trial, same, ["RUN_COMPLETED"]);
      const frames = (await stream.rest()).map(({ message }) => message);
      const ofLost = frames.filter(({ runId }) => runId === lost);
      const found = ofLost.map(({ type, code, retryable }) => [type, code, retryable]);
      assertEqual(found, [["error", "history_changed", false]], "the frames of the changed run");
      const ofSame = frames.filter(({ runId }) => runId === same).map(({ type }) => type);
      const owed = ["connected", "run_event", "run_event", "run_finished"];
      assertEqual(ofSame, owed, "the frames of the other run");
    },
  },
  {
    name: "W46 a held poll with at gets the next event",
    async run(trial) {
      const runId = await record(trial, "NOTE");
      const [at] = await timesOf(trial, runId);
      const held = poll(trial, runId, `since=1&at=${at}&wait=20`);
      // Looked at below, unless what follows fails first.
      held.catch(() => {});
      // A server that does not hold the poll has answered it by now.
      for (let asked = 0; asked < 5; asked++) await readPage(trial, runId);
      await land(trial, runId, ["NOTE"]);
      assertEqual(sequencesOf(pageOf(await held)), [2], "the page that was waited for");
    },
  },
  {
    name: "W46 an at that is not a time as events have it, is given twice, or has no event, is 400",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const at = (await timesOf(trial, runId))[1] ?? "";
      const { session } = trial.owner;
      for (const query of BAD.map((one) => one.replaceAll("AT", at))) {
        assertProblem(await poll(trial, runId, query), 400, "invalid_request");
        const path = pathOf(runId, `/stream?${query}`);
        for (const headers of [session, { ...session, "last-event-id": "2" }])
          assertProblem(await trial.send({ path, headers }), 400, "invalid_request");
        const { status } = await trial.send({ method: "HEAD", path, headers: session });
        assertEqual(status, 400, `the status of HEAD ${path}`);
      }
    },
  },
  {
    name: "W46 with at, another user's run and a run that does not exist get the same 404",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      const right = (await timesOf(trial, runId))[1];
      const headers = { ...trial.stranger.bearer, ...trial.stranger.session };
      for (const leaf of LEAVES) {
        const texts = new Set<string>();
        for (const id of [runId, "nobodys"]) {
          for (const query of [`since=2&at=${right}`, `since=2&at=${moved(right, 1)}`]) {
            const answer = await trial.send({ path: pathOf(id, `${leaf}?${query}`), headers });
            assertProblem(answer, 404, "not_found");
            texts.add(answer.text);
          }
        }
        assertEqual(texts.size, 1, `how many different problems of ${leaf} there are`);
      }
    },
  },
];

type Answer = Awaited<ReturnType<typeof poll>>;

function assertChanged(answer: Answer, lastSequence: number): void {
  assertProblem(answer, 409, "history_changed");
  assertEqual(answer.json()["lastSequence"], lastSequence, `lastSequence of ${answer.to}`);
}

async function assertChangedStream(
  trial: HttpTrial,
  runId: string,
  query: string,
  lastSequence: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const stream = await tail(trial, runId, query, headers);
  assertEqual(stream.status, 200, `W24: the status of the stream of ${query}`);
  const frames = await stream.rest();
  const found = frames.map(({ message }) => [
    message["type"],
    message["code"],
    message["retryable"],
    message["lastSequence"],
  ]);
  const owed = [["error", "history_changed", false, lastSequence]];
  assertEqual(found, owed, `the frames of the stream of ${query}`);
  assertEqual(frames[0]?.retryMs, 3_600_000, "W22: retry of the last frame");
}

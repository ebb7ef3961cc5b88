import { assert, assertEqual } from "../../assert.ts";
import { notes } from "../draft.ts";
import type { HttpCases } from "../http-trial.ts";
import { typesOf } from "../live-stream.ts";
import type { WireRun } from "../wire-run.ts";
import { FAR, moved } from "./pages.ts";

/** A query, a `Last-Event-ID`, and what is to come of them: a cursor, a code, a status, or the types of the frames. */
type Start = readonly [
  query: string,
  header: string | null,
  outcome: number | string | readonly string[],
];

/** Values of the header that are malformed, and therefore ignored. */
const MALFORMED = ["x", "", "-1", "+3", "1e3", "01", "1.0", "3, 4", "\u00e9"];

/** On a live run of nine events. */
const CURSORS: readonly Start[] = [
  ["", null, 0],
  ["since=4", null, 4],
  ["", "4", 4],
  ["since=2", "6", 6],
  ["since=6", "2", 2],
  ["since=6", "0", 0],
  ["since=999", "3", 3],
  ...MALFORMED.map((header): Start => ["", header, 0]),
  ...MALFORMED.map((header): Start => ["since=2", header, 2]),
];
const AHEAD: readonly Start[] = [
  ["since=10", null, "cursor_ahead"],
  ["since=0", "10", "cursor_ahead"],
  [`since=${FAR}`, null, "cursor_ahead"],
  ["", FAR, "cursor_ahead"],
];
const TAILS: readonly Start[] = [
  ["tail=1", null, 8],
  ["tail=3", null, 6],
  ["tail=9", null, 0],
  ["tail=1000", null, 0],
  ["tail=3", "8", 8],
  ["tail=3", "2", 2],
  ["tail=3", "0", 0],
  ...MALFORMED.map((header): Start => ["tail=3", header, 6]),
];
/** `AT` is the time of the event 6, and `OFF` that of no event. */
const TIMES: readonly Start[] = [
  ["since=6&at=AT", null, 6],
  ["since=6&at=OFF", "1", 1],
  ["since=6&at=OFF", "6", 6],
  ["since=6&at=OFF", "0", 0],
  ["since=6&at=OFF", "x", "history_changed"],
  ["since=6&at=OFF", null, "history_changed"],
  ["since=10&at=AT", null, "history_changed"],
  [`since=${FAR}&at=AT`, null, "history_changed"],
];

const ENDS = ["connected", "run_finished"];

/** On a run that has ended after two events. */
const ON_ENDED: readonly Start[] = [
  ["", "1", ["connected", "run_event", "run_finished"]],
  ["", "2", ENDS],
  ["", "3", "204"],
  ["", "4", "204"],
  ["", FAR, "204"],
  ["since=0", "3", "204"],
  ["since=2", null, ENDS],
  ["since=3", null, ENDS],
  ["since=4", null, "cursor_ahead"],
  ["since=3", "2", ENDS],
  ["since=4", "3", "204"],
  ["tail=1", null, ["connected", "run_event", "run_finished"]],
];

async function assertStarts(run: WireRun, starts: readonly Start[]): Promise<void> {
  const time = (await run.times()).at(5) ?? new Date(0).toISOString();
  for (const [query, header, outcome] of starts) {
    const asked = query.replace("AT", time).replace("OFF", moved(time, 1));
    await assertStart(run, [asked, header, outcome]);
  }
}

async function assertStart(run: WireRun, [query, header, outcome]: Start): Promise<void> {
  const headers = header === null ? {} : { "last-event-id": header };
  const stream = await run.tail(query, headers);
  const what = `what comes of ${query || "no since"} and Last-Event-ID ${header}`;
  if (outcome === "204") {
    const found = [stream.status, await stream.text()];
    assertEqual(found, [204, ""], what);
    const isKept = !(stream.headers.get("cache-control") ?? "").includes("no-store");
    assert(!isKept, "no cache may keep the 204");
  } else if (typeof outcome === "number") {
    const [connected, first] = [await stream.next(), await stream.next()];
    const { sequence } = Object(first.message["event"]) as { readonly sequence?: unknown };
    const found = [connected.message["since"], connected.id, sequence];
    assertEqual(found, [outcome, String(outcome), outcome + 1], `${what}: since, id, first event`);
  } else if (typeof outcome === "string") {
    const frames = await stream.rest();
    const found = frames.map(({ message }) => [message["code"], message["lastSequence"]]);
    const { lastSequence } = await run.read();
    assertEqual([stream.status, found], [200, [[outcome, lastSequence]]], what);
  } else {
    assertEqual(typesOf(await stream.rest()), outcome, what);
  }
  stream.leave();
}

/** Cases of W20, W24, W45 and W46 in `WIRE.md`: where a stream starts. */
export const cursors: HttpCases = {
  "W20 a stream starts at a valid Last-Event-ID, else at since or tail, else at 0; the header wins even when it is smaller":
    async ({ owner }) => {
      await assertStarts(await owner.record(...notes(9)), CURSORS);
    },
  "W24 on a finished run the header alone decides between 204 and the end": async ({ owner }) => {
    await assertStarts(await owner.record("NOTE", "RUN_COMPLETED"), ON_ENDED);
  },
  "W24 a cursor past the end of a live run is cursor_ahead, in a frame": async ({ owner }) => {
    await assertStarts(await owner.record(...notes(9)), AHEAD);
  },
  "W45 a stream with tail=N begins N events before the end, unless a valid Last-Event-ID wins":
    async ({ owner }) => {
      await assertStarts(await owner.record(...notes(9)), TAILS);
    },
  "W46 a stream with another time of its event is history_changed, unless a valid Last-Event-ID wins":
    async ({ owner }) => {
      await assertStarts(await owner.record(...notes(9)), TIMES);
    },
};

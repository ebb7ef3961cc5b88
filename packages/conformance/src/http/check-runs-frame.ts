import { assert, assertEqual, show } from "../assert.ts";
import {
  assertFields,
  assertRetry,
  checkFailure,
  checkFrame,
  checkMessage,
  FIRST,
  FOR_GOOD,
  NO_FRAMES,
  type RunSoFar,
  SOON,
} from "./check-frame.ts";
import type { Frame } from "./read-frames.ts";

/** The frames of a stream of many runs so far. */
export interface RunsSoFar {
  readonly hasStarted: boolean;
  readonly isOver: boolean;
  /** Each run that was asked for. */
  readonly runs: ReadonlyMap<string, RunSoFar>;
  /** `null` if none was asked for. */
  readonly feed: FeedSoFar | null;
}

interface FeedSoFar {
  /** Whether its runs come with their last events. */
  readonly withLast: boolean;
  readonly hasStarted: boolean;
  readonly isOver: boolean;
}

const OF_STREAM = { stream_opened: [], heartbeat: [], stream_finished: [] };
const OF_FEED: Readonly<Record<string, readonly string[]>> = {
  feed_started: ["same"],
  run: ["run"],
  run_gone: ["runId"],
  feed_version: ["version", "more"],
  error: ["feed", "code", "message", "retryable"],
};

/** The fields of a run in every answer, sorted. */
export const SNAPSHOT: readonly string[] = [
  "createdAt",
  "currentPhase",
  "finishedAt",
  "lastSequence",
  "lease",
  "metadata",
  "ownerId",
  "runId",
  "runStatus",
  "topic",
  "updatedAt",
];

/** Nothing yet of what this query asks for. */
export function noFramesOf(query: URLSearchParams): RunsSoFar {
  const entries = query.get("runs")?.split(",") ?? [];
  const withLast = query.get("last") === "true";
  return {
    hasStarted: false,
    isOver: false,
    runs: new Map(entries.map((entry) => [entry.split(":", 1)[0] ?? "", NO_FRAMES])),
    feed: query.has("feed") ? { withLast, hasStarted: false, isOver: false } : null,
  };
}

/**
 * Judges a frame by its own fields and by what came before it.
 * @returns the stream with it
 * @throws Error that names the clause
 * @see clauses W47 and W48 in `WIRE.md`
 */
export function checkRunsFrame(soFar: RunsSoFar, frame: Frame): RunsSoFar {
  const { type, runId, feed } = frame.message;
  const what = `the frame ${show(frame.data)}`;
  assert(!soFar.isOver, `W47: nothing comes after the last frame, got ${what}`);
  assertEqual(frame.id, null, `W47: the id of ${what}`);
  if (type === "error" && runId === undefined && feed === undefined) {
    checkFrame(NO_FRAMES, frame);
    return { ...soFar, isOver: true };
  }
  const isInPlace = (type === "stream_opened") === !soFar.hasStarted;
  assert(isInPlace, `W47: stream_opened comes first and once, got ${what}`);
  if (Object.hasOwn(OF_STREAM, String(type))) {
    assertFields("W47", frame.message, OF_STREAM);
    if (type === "stream_finished") return finish(soFar, frame, what);
    assertRetry("W47", frame, type === "heartbeat" ? null : FIRST);
    return { ...soFar, hasStarted: true };
  }
  assertRetry("W47", frame, null);
  if (feed !== undefined || (type !== "error" && Object.hasOwn(OF_FEED, String(type)))) {
    if (soFar.feed === null) throw new Error(`W48: no feed was asked for, got ${what}`);
    return { ...soFar, feed: checkFeed(soFar.feed, frame.message, what) };
  }
  const known = soFar.runs.get(String(runId));
  if (known === undefined) throw new Error(`W47: each frame names a run asked for, got ${what}`);
  const { runId: _, ...alone } = frame.message;
  const next = checkMessage(known, type === "connected" ? frame.message : alone);
  return { ...soFar, runs: new Map(soFar.runs).set(String(runId), next) };
}

function finish(soFar: RunsSoFar, frame: Frame, what: string): RunsSoFar {
  for (const [runId, { isOver }] of soFar.runs)
    assert(isOver, `W47: each run has its last frame before ${what}, got none of ${runId}`);
  assert(soFar.feed?.isOver !== false, `W48: a feed ends only by its error, got ${what}`);
  assertRetry("W47", frame, frame.retryMs === 3_600_000 ? FOR_GOOD : SOON);
  return { ...soFar, isOver: true };
}

function checkFeed(soFar: FeedSoFar, message: Frame["message"], what: string): FeedSoFar {
  const { type, same, version, more } = message;
  assert(!soFar.isOver, `W48: nothing of the feed comes after its error, got ${what}`);
  const isInPlace = type === "error" || soFar.hasStarted || type === "feed_started";
  assert(isInPlace, `W48: the first frame of a feed is feed_started, got ${what}`);
  assertFields("W48", message, OF_FEED, { run: ["last"], error: ["lastSequence"] }[String(type)]);
  const flag = { feed_started: same, feed_version: more }[String(type)] ?? true;
  assertEqual(typeof flag, "boolean", `W48: the type of same or more in ${what}`);
  const isText = type !== "feed_version" || (typeof version === "string" && version !== "");
  assert(isText, `W48: a version is a text, got ${what}`);
  if (type === "error") checkFailure(message, what);
  if (type === "run") checkRun(soFar, message, what);
  return { ...soFar, hasStarted: true, isOver: type === "error" };
}

function checkRun({ withLast }: FeedSoFar, message: Frame["message"], what: string): void {
  const run = Object(message["run"]) as Readonly<Record<string, unknown>>;
  assertEqual(Object.keys(run).toSorted(), SNAPSHOT, `W48: the fields of the run in ${what}`);
  const isOwed = withLast && run["lastSequence"] !== 0;
  assertEqual("last" in message, isOwed, `W48: whether there is a last event in ${what}`);
  if (!isOwed) return;
  const { sequence } = Object(message["last"]) as { readonly sequence?: unknown };
  assertEqual(sequence, run["lastSequence"], `W48: the sequence of the last event in ${what}`);
}

import { assert, assertEqual, show } from "../assert.ts";
import { checkFrame, NO_FRAMES } from "./check-frame.ts";
import type { Frame } from "./read-frames.ts";

/** The frames of a feed so far, as far as the next frame depends on them. */
export interface FeedSoFar {
  /** Whether its runs come with their last events. */
  readonly withLast: boolean;
  readonly hasStarted: boolean;
  readonly isOver: boolean;
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  feed_started: ["same"],
  run: ["run"],
  run_gone: ["runId"],
  feed_version: ["version", "more"],
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

/** Whether a frame is one of the feed, and not of a run or of the whole stream. */
export function isOfFeed({ message }: Frame): boolean {
  return Object.hasOwn(FIELDS, String(message["type"])) || message["feed"] !== undefined;
}

/**
 * Judges a frame of a feed by its own fields and by what came before it.
 * @returns the feed with it
 * @throws Error that names the clause
 * @see clause W48 in `WIRE.md`
 */
export function checkFeedFrame(soFar: FeedSoFar, frame: Frame): FeedSoFar {
  const { message, retryMs } = frame;
  const what = `the frame ${show(frame.data)}`;
  assert(!soFar.isOver, `W48: nothing of the feed comes after its error, got ${what}`);
  assertEqual(retryMs, null, `W48: the retry of ${what}`);
  const { type } = message;
  if (type === "error") return checkFailure(soFar, frame, what);
  assert(
    soFar.hasStarted || type === "feed_started",
    `W48: the first frame of a feed is feed_started, got ${what}`,
  );
  const found = Object.keys(message).filter((key) => type !== "run" || key !== "last");
  const fields = ["type", ...(FIELDS[String(type)] ?? [])];
  assertEqual(found.toSorted(), fields.toSorted(), `W48: the fields of ${what}`);
  if (type === "feed_started")
    assertEqual(typeof message["same"], "boolean", `W48: the type of same in ${what}`);
  if (type === "feed_version") {
    const { version, more } = message;
    const isText = typeof version === "string" && version !== "";
    assert(isText, `W48: a version is a text, got ${what}`);
    assertEqual(typeof more, "boolean", `W48: the type of more in ${what}`);
  }
  if (type === "run") checkRun(soFar, message, what);
  return { ...soFar, hasStarted: true };
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

function checkFailure(soFar: FeedSoFar, frame: Frame, what: string): FeedSoFar {
  const { feed, ...message } = frame.message;
  assertEqual(feed, true, `W48: the feed of ${what}`);
  checkFrame(NO_FRAMES, {
    ...frame,
    message,
    retryMs: message["retryable"] === true ? 500 : 3_600_000,
  });
  return { ...soFar, isOver: true };
}

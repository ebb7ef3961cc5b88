import type { StoredEvent } from "../rules/event.ts";
import type { RunRecord } from "../rules/run.ts";
import { encodeEvent, encodeFrame } from "./frame.ts";
import { encodeRun } from "./wire.ts";

/**
 * The first frame of a feed, and the one with which it starts over.
 * @param isReset whether the reader forgets the runs that it had
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeFeedStarted(isReset: boolean): string {
  return encodeFrame(`{"type":"feed_started","reset":${isReset}}`, null, null);
}

/** A run of a feed as it is now, with its last event if that is given. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export function encodeRunState(run: RunRecord, last: StoredEvent | undefined): string {
  const event = last === undefined ? "" : `,"last":${encodeEvent(last)}`;
  return encodeFrame(`{"type":"run","run":${encodeRun(run)}${event}}`, null, null);
}

/** A run of a feed that was removed. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export function encodeRunGone(runId: string): string {
  return encodeFrame(JSON.stringify({ type: "run_gone", runId }), null, null);
}

/** Where the reader of a feed comes back. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export function encodeFeedCursor(cursor: string): string {
  return encodeFrame(JSON.stringify({ type: "feed_cursor", cursor }), null, null);
}

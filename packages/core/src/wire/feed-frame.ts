import type { StoredEvent } from "../rules/event.ts";
import type { RunRecord } from "../rules/run.ts";
import { encodeEvent, encodeFrame } from "./frame.ts";
import { encodeRun } from "./answers.ts";

/**
 * The first frame of a feed.
 * @param isSame whether the list still has the version that the reader has; otherwise the reader forgets the runs that it had
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeFeedStarted(isSame: boolean): string {
  return encodeFrame(`{"type":"feed_started","same":${isSame}}`);
}

/** A run of a feed as it is now, with its last event if that is given. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export function encodeRunState(run: RunRecord, last: StoredEvent | undefined): string {
  const event = last === undefined ? "" : `,"last":${encodeEvent(last)}`;
  return encodeFrame(`{"type":"run","run":${encodeRun(run)}${event}}`);
}

/** A run of a feed that was removed, or has left the list. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export function encodeRunGone(runId: string): string {
  return encodeFrame(JSON.stringify({ type: "run_gone", runId }));
}

/** The version of the list that the reader has now. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export function encodeFeedVersion(version: string, more: boolean): string {
  return encodeFrame(JSON.stringify({ type: "feed_version", version, more }));
}

import type { RunName, RunRecord } from "./run.ts";
import type { StoredEvent } from "./event.ts";
import type { RunState } from "./lifecycle.ts";
import { shownState } from "./shown-state.ts";

/** A request for a run's events after `since`, ascending, and its head at the same instant. @see clause S9 in `STORE.md` */
export interface PageQuery extends RunName {
  /** 0 or more. Past the run's last event the answer has no events. */
  readonly since: number;
  /** The most events: 0 for the head alone. */
  readonly limit: number;
  /** Where to cut the events, as `createPageCut` does; the first always fits. */
  readonly maxBytes: number;
  /**
   * Whether the head has its metadata.
   * @defaultValue `false`
   */
  readonly wantsMetadata?: boolean;
}

/** A read of a run's log, which may be asked for a time. */
export interface ReadQuery extends PageQuery {
  /**
   * Whether to answer the time of the event `since`, which is then read as well.
   * @defaultValue `false`
   */
  readonly withTime?: boolean;
}

/** The answer of a read, with the run's record in place of its head. */
export interface ReadResult {
  readonly run: RunRecord;
  /**
   * With `withTime`, and only then: the `createdAtMs` of the event `since`, as of the same instant; `null` if it is not there.
   */
  readonly timeAtSinceMs?: number | null;
  /** since+1, since+2, … without a gap. */
  readonly events: readonly StoredEvent[];
}

/** The least that an event, or its frame, takes in addition to its payload, in bytes. */
export const EVENT_ENVELOPE_BYTES = 224;

/** The size of one event in `maxBytes`: its payload's UTF-8 bytes and its envelope. @see clause S9 in `STORE.md` */
export function eventBytes(payloadBytes: number): number {
  return payloadBytes + EVENT_ENVELOPE_BYTES;
}

/**
 * The cut of a page, once for all adapters: answers, event after event in ascending order, whether the next one still
 * belongs to the page. The first always does; after the first "no" the page has ended.
 * @see clause S9 in `STORE.md`
 */
export function createPageCut(limit: number, maxBytes: number): (payloadBytes: number) => boolean {
  let count = 0;
  let bytes = 0;
  return (payloadBytes) => {
    count += 1;
    bytes += eventBytes(payloadBytes);
    return count <= limit && (count === 1 || bytes <= maxBytes);
  };
}

/** A page of a run's log, with as much of the run's state as a reader of it may see, as from `shownState`. */
export interface LogPage extends RunState {
  readonly events: readonly StoredEvent[];
  readonly lastSequence: number;
  /** Whether the log has events after this page. */
  readonly hasMore: boolean;
  /** The cursor that this page follows, if it was asked for by `tail`. */
  readonly since?: number;
}

/**
 * The state of the run as a page shows it. Only a page that reaches the end of the log has a terminal status or `waiting`: the read has the head and
 * the events as of one instant.
 * @see clause W16 in `WIRE.md` of `@tm/run-events-http`
 */
export function planPage({ run, events }: ReadResult, since: number): LogPage {
  const { lastSequence } = run;
  const end = events.at(-1)?.sequence ?? since;
  return { ...shownState(run, end), events, lastSequence, hasMore: end < lastSequence };
}

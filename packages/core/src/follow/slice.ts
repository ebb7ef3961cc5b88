import type { StoredEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { eventBytes } from "../rules/page.ts";
import { type HeadState, shownState } from "../rules/shown-state.ts";
import {
  encodeFrames,
  encodeRunEvents,
  encodeRunFinished,
  encodeStatus,
  escapeBytes,
} from "../wire/frame.ts";

/** The most bytes of one slice, as of `eventBytes`, unless its first event alone is larger. */
export const SLICE_BYTES = 49_152;

/** A reader's cursor. */
export interface Position {
  readonly sequence: number;
  /** The time of the event there, 0 before the first: another history has another one. @see clause W46 in `WIRE.md` */
  readonly atMs: number;
}

/** The weight of an event in `SLICE_BYTES`. */
export function weighEvent({ payload }: StoredEvent): number {
  const payloadBytes = utf8Bytes(payload);
  // If bytes and units are equally many, the text is ASCII, which needs no escapes.
  return eventBytes(payloadBytes) + (payloadBytes === payload.length ? 0 : escapeBytes(payload));
}

/** The items from index `start` on that fit in one slice. At least one, unless none is left. */
export function fitSlice<Item>(
  items: readonly Item[],
  start: number,
  weigh: (item: Item) => number,
): readonly Item[] {
  let stop = start;
  let weight = 0;
  for (let next = items[stop]; next !== undefined; next = items[stop]) {
    weight += weigh(next);
    if (stop > start && weight > SLICE_BYTES) break;
    stop += 1;
  }
  return items.slice(start, stop);
}

/** The next part of a run's log after a reader's position. All readers at that position share it, with its bytes. */
export interface Slice {
  readonly events: readonly StoredEvent[];
  /** The reader's position after it. */
  readonly to: Position;
  /** The run's head at or after the last of the events. */
  readonly head: HeadState;
  /** Whether the run ends with it: no slice follows. */
  readonly finished: boolean;
  /**
   * Its frames in one buffer, made when the first reader asks: each event; one `status`, or `run_finished` if the run ends here.
   * @param status what the `status` says; `null` for a reader to which it was sent before
   * @param runId the run's id, for a stream of many runs
   * @see clauses W22, W23 and W47 in `WIRE.md` of `@tm/run-events-http`
   */
  bytes(status: HeadState | null, runId?: string): Uint8Array;
}

/**
 * Cuts the slice at `from`.
 * @param events from `from.sequence + 1` on, without a gap; empty only if the run ended at `from`
 * @param read the run's head at or after the last of them
 */
export function createSlice(
  from: Position,
  events: readonly StoredEvent[],
  read: HeadState,
): Slice {
  const { runStatus, phase, lastSequence } = read;
  // Not all of a head that was read: its metadata may be large.
  const head: HeadState = { runStatus, phase, lastSequence };
  const to: Position = {
    sequence: events.at(-1)?.sequence ?? from.sequence,
    atMs: events.at(-1)?.createdAtMs ?? from.atMs,
  };
  const finished = isTerminal(shownState(head, to.sequence).runStatus);
  /** By the run's id and the last frame: its readers may have different states before it. */
  const made = new Map<string, Uint8Array>();

  function lastFrame(status: HeadState | null, runId: string | null): string {
    if (finished) return encodeRunFinished({ ...head, lastSequence: to.sequence }, runId);
    return status === null ? "" : encodeStatus(status, runId);
  }

  return {
    events,
    to,
    head,
    finished,
    bytes(status, runId) {
      const last = lastFrame(status, runId ?? null);
      const key = runId === undefined ? last : `${runId} ${last}`;
      const known = made.get(key);
      if (known !== undefined) return known;
      const bytes = encodeFrames([encodeRunEvents(events, runId ?? null), last]);
      made.set(key, bytes);
      return bytes;
    },
  };
}

import type { StoredEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { foldEvents, isTerminal, type RunState } from "../rules/lifecycle.ts";
import { eventBytes } from "../rules/page.ts";
import {
  encodeFrames,
  encodeRunEvents,
  encodeRunFinished,
  encodeStatus,
  escapeBytes,
} from "../wire/frame.ts";

/** The most bytes of one slice, as of `eventBytes`, unless its first event alone is larger. */
export const SLICE_BYTES = 49_152;

/** A reader's cursor, and the state of the run as of it. */
export interface Position extends RunState {
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

/**
 * The items from index `start` on that fit in one slice. At least one, unless none is left.
 * @param maxWeight the most bytes of these items, unless the first alone has more
 */
export function fitSlice<Item>(
  items: readonly Item[],
  start: number,
  weigh: (item: Item) => number,
  maxWeight: number = SLICE_BYTES,
): readonly Item[] {
  let stop = start;
  let weight = 0;
  for (let next = items[stop]; next !== undefined; next = items[stop]) {
    weight += weigh(next);
    if (stop > start && weight > maxWeight) break;
    stop += 1;
  }
  return items.slice(start, stop);
}

/**
 * The next part of a run's log after a reader's position. It depends only on the log, so all readers at that position share it, with
 * its bytes.
 */
export interface Slice {
  readonly events: readonly StoredEvent[];
  /** The reader's position after it. */
  readonly to: Position;
  /** Whether the run ends with it: no slice follows. */
  readonly finished: boolean;
  /**
   * Its frames in one buffer, made when the first reader asks: each event; one `status` for the whole slice if status or phase have
   * changed; `run_finished` if the run ends here.
   * @param runId the run's id, for a stream of many runs
   * @see clauses W22, W23 and W47 in `WIRE.md` of `@tm/run-events-http`
   */
  bytes(runId?: string): Uint8Array;
}

/**
 * Cuts the slice at `from`.
 * @param events from `from.sequence + 1` on, without a gap; empty only if the run ended at `from`
 * @param lastSequence the run's head at or after the last of them
 */
export function createSlice(
  from: Position,
  events: readonly StoredEvent[],
  lastSequence: number,
): Slice {
  const state = foldEvents(from, events);
  const to: Position = {
    sequence: events.at(-1)?.sequence ?? from.sequence,
    atMs: events.at(-1)?.createdAtMs ?? from.atMs,
    runStatus: state.runStatus,
    phase: state.phase,
  };
  const finished = isTerminal(state.runStatus);
  let bytes: Uint8Array | undefined;
  /** The same for streams of many runs. */
  let named: Uint8Array | undefined;

  function encode(runId: string | null): Uint8Array {
    return encodeFrames([encodeRunEvents(events, runId), lastFrame(runId)]);
  }

  function lastFrame(runId: string | null): string {
    if (finished) return encodeRunFinished(to, to.sequence, runId);
    return to.runStatus !== from.runStatus || to.phase !== from.phase
      ? encodeStatus(to, lastSequence, runId)
      : "";
  }

  return {
    events,
    to,
    finished,
    bytes(runId) {
      if (runId !== undefined) return (named ??= encode(runId));
      return (bytes ??= encode(null));
    },
  };
}

import { encodeRunEvent, encodeRunFinished, encodeStatus } from "./frame.ts";
import { utf8Bytes } from "./json-text.ts";
import { foldEvent, isTerminal, type RunState } from "./lifecycle.ts";
import { eventBytes } from "./page.ts";
import type { RunRecord, StoredEvent } from "./store.ts";

/** The most that one slice holds, counted as `eventBytes` does, unless its first event alone is larger. */
export const SLICE_BYTES = 49_152;

/** A reader's cursor, and the state of the run as of it. */
export interface Position extends RunState {
  readonly sequence: number;
}

/** An event that many readers share: its SSE bytes are made once, when the first one asks. */
export interface SharedEvent {
  readonly event: StoredEvent;
  /** What it counts for in `SLICE_BYTES`. */
  readonly weight: number;
  frame(): Uint8Array;
}

/** Wraps an event for sharing. */
export function shareEvent(event: StoredEvent): SharedEvent {
  let bytes: Uint8Array | undefined;
  return {
    event,
    weight: eventBytes(utf8Bytes(event.payload)),
    frame: () => (bytes ??= encodeRunEvent(event)),
  };
}

/**
 * The next stretch of a run's log behind a reader's position. It depends on the log alone, so that every reader at that
 * position can share it, bytes and all.
 */
export interface Slice {
  readonly events: readonly StoredEvent[];
  /** Where a reader stands behind it. */
  readonly to: Position;
  /** Whether the run ends with it: nothing follows, ever. */
  readonly finished: boolean;
  /**
   * Its frames in one buffer: each event; a `status` if status or phase have changed, told once for the whole slice;
   * `run_finished` if the run ends here. @see W22, W23
   */
  bytes(): Uint8Array;
}

/**
 * Cuts the slice at `from`.
 * @param shared the events from `from.sequence + 1` on, without a gap; none only if the run ended at `from`
 * @param run the run's head at or after the last of them
 */
export function createSlice(from: Position, shared: readonly SharedEvent[], run: RunRecord): Slice {
  const events = shared.map(({ event }) => event);
  const state = events.reduce<RunState>(foldEvent, from);
  const to: Position = {
    sequence: events.at(-1)?.sequence ?? from.sequence,
    runStatus: state.runStatus,
    phase: state.phase,
  };
  const finished = isTerminal(state.runStatus);
  let joined: Uint8Array | undefined;
  return {
    events,
    to,
    finished,
    bytes() {
      if (joined !== undefined) return joined;
      const frames = shared.map((event) => event.frame());
      if (finished) frames.push(encodeRunFinished(to, to.sequence));
      else if (to.runStatus !== from.runStatus || to.phase !== from.phase) {
        frames.push(encodeStatus(to, run.lastSequence));
      }
      joined = joinBytes(frames);
      return joined;
    },
  };
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

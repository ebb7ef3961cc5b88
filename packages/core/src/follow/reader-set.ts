import type { Position } from "./slice.ts";

/** A reader of a follower: a cursor, and a function that notifies it. */
export interface FollowerReader {
  /** The reader's position; `null` until it has opened. */
  position: Position | null;
  /** Whether it takes nothing now. It calls `next` by itself when it takes again; until then the log is not read for it. */
  readonly stalled: boolean;
  /** Called synchronously when `next` may have something new, possibly for nothing. */
  readonly onNotification: () => void;
}

/** The readers of one follower. */
export class ReaderSet extends Set<FollowerReader> {
  /** The sequence that all opened readers have; `end` at most. */
  least(end: number): number {
    let least = end;
    for (const { position } of this)
      if (position !== null && position.sequence < least) least = position.sequence;
    return least;
  }

  /** Whether one of them takes events now. */
  hasTaker(): boolean {
    for (const { stalled } of this) if (!stalled) return true;
    return false;
  }

  /** Notifies them all. */
  notify(): void {
    for (const reader of this) reader.onNotification();
  }
}

import { encodeFrames, encodeStreamFrame, NO_RETRY_MS, openingRetry } from "../wire/frame.ts";
import {
  encodeError,
  retryAfter,
  STREAM_ERRORS,
  streamErrorCode,
  type StreamErrorCode,
} from "../wire/stream-error.ts";
import type { FramePart, FrameSource, FrameTaker } from "./frame-source.ts";

/** The number of parts that open at once, so that the memory of a stream does not grow with its runs. */
const MOST_OPENING = 4;

const HEARTBEAT = encodeFrames([encodeStreamFrame("heartbeat", null)]);

/**
 * The frames of many parts on one stream. They take turns: each sends one piece at a time, and then waits behind all others that have something
 * to send, so none of them starves, however much another has. One page of the log is read at a time. A few parts open at a time, in their
 * order. When the last part is over, the stream ends with `stream_finished`. A part that fails ends alone.
 * @see clause W47 in `WIRE.md` of `@tm/run-events-http`
 */
export class JoinedSource implements FrameSource, FrameTaker {
  readonly opened: Promise<void> = Promise.resolve();
  readonly isOpen = true;
  isOver = false;
  readonly #taker: FrameTaker;
  readonly #random: () => number;
  /** The parts to open, the next one last. */
  readonly #unopened: ((taker: FrameTaker) => FramePart)[];
  #opening = 0;
  readonly #parts = new Set<FramePart>();
  /** The parts that may have something to send, in the order of their turns. */
  #turns = new Set<FramePart>();
  /** Why parts have ended, until their turns come. */
  readonly #failures = new Map<FramePart, unknown>();
  #hasBegun = false;
  /** Whether a part has failed in a way that may pass. */
  #mayComeBack = false;

  /**
   * Opens the first parts.
   * @param random 0 to 1, for the jitter
   * @param openings one for each part; only the first may throw
   * @throws what the first opening throws
   */
  constructor(
    random: () => number,
    taker: FrameTaker,
    openings: readonly ((taker: FrameTaker) => FramePart)[],
  ) {
    this.#random = random;
    this.#taker = taker;
    this.#unopened = openings.toReversed();
    this.#open();
  }

  get stalled(): boolean {
    return this.#taker.stalled;
  }

  onNotification(part: FramePart): void {
    if (!this.#parts.has(part)) return;
    this.#turns.add(part);
    this.#taker.onNotification(this);
  }

  next(): Uint8Array | Promise<void> | null {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return encodeFrames([encodeStreamFrame("stream_opened", openingRetry(this.#random()))]);
    }
    for (const part of this.#turns) {
      this.#turns.delete(part);
      const next = this.#ask(part);
      if (next !== null) return next;
    }
    if (this.#parts.size > 0) return null;
    this.isOver = true;
    const retryMs = this.#mayComeBack ? retryAfter("store_unavailable", this.#random) : NO_RETRY_MS;
    return encodeFrames([encodeStreamFrame("stream_finished", retryMs)]);
  }

  /** A run that was changed while the transport was full has not been read. */
  drained(): void {
    for (const part of this.#parts) this.#turns.add(part);
  }

  heartbeat(): Uint8Array {
    return HEARTBEAT;
  }

  failure(code: StreamErrorCode): Uint8Array {
    return encodeFrames([encodeError(code, {}, retryAfter(code, this.#random))]);
  }

  leave(): void {
    for (const part of this.#parts) part.leave();
    this.#parts.clear();
    this.#turns.clear();
    this.#unopened.length = 0;
  }

  /** Begins to open the next parts. */
  #open(): void {
    while (this.#opening < MOST_OPENING) {
      const part = this.#unopened.pop()?.(this);
      if (part === undefined) return;
      this.#parts.add(part);
      this.#opening += 1;
      void part.opened
        .catch((error: unknown) => this.#failures.set(part, error))
        .then(() => {
          this.#opening -= 1;
          this.#open();
          this.onNotification(part);
        });
    }
  }

  #ask(part: FramePart): Uint8Array | Promise<void> | null {
    try {
      if (this.#failures.has(part)) throw this.#failures.get(part);
      const next = part.next();
      if (next instanceof Promise) {
        // Its page is sent next, so that no other one is held.
        this.#turns = new Set([part, ...this.#turns]);
        return next.catch((error: unknown) => void this.#failures.set(part, error));
      }
      if (part.isOver) this.#remove(part);
      else if (next !== null) this.#turns.add(part);
      return next;
    } catch (error) {
      // The last frame of a part that has failed. The others go on.
      const code = streamErrorCode(error);
      this.#mayComeBack ||= STREAM_ERRORS[code].retryable;
      this.#remove(part);
      return part.failure(code, error);
    }
  }

  #remove(part: FramePart): void {
    this.#parts.delete(part);
    this.#failures.delete(part);
    part.leave();
  }
}

import type { StreamErrorCode } from "../wire/stream-error.ts";

/** The part of a stream that a source of frames needs. */
export interface FrameTaker {
  /** Whether it takes nothing now. It asks its sources by itself when it takes again. */
  readonly stalled: boolean;
  /** Called synchronously when `next` of the source may have something new, possibly for nothing. */
  onNotification(source: FramePart): void;
}

/** A source of frames: one run, or a feed. It is asked for one piece at a time, and only while the transport takes bytes: it has no queue. */
export interface FramePart {
  /**
   * Resolves when the stream may start.
   * @throws why it may not
   */
  readonly opened: Promise<void>;
  /** Whether what `next` returned last was its end. */
  readonly isOver: boolean;
  /**
   * The next bytes, at once if they are in memory. A promise: `next` is to be called again once it has resolved, and not before. `null`:
   * nothing is there yet, and a notification will follow.
   * @throws why the source has ended
   */
  next(): Uint8Array | Promise<void> | null;
  /** The last frame, if it ends with this code. @param error what `opened`, `next` or its promise has thrown, if that is why */
  failure(code: StreamErrorCode, error?: unknown): Uint8Array;
  /** Ends it at any time. Idempotent. */
  leave(): void;
}

/** The source of all frames of a stream: one run, or many sources. The stream has the transport, the timer, the limits and the check of the session. */
export interface FrameSource extends FramePart {
  readonly isOpen: boolean;
  /** The transport takes bytes again. */
  drained(): void;
  /** The frame that goes out after a silence. */
  heartbeat(): Uint8Array;
}

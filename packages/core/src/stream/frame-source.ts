import type { StreamErrorCode } from "../wire/stream-error.ts";

/** The stream as a source of frames needs it. */
export interface FrameTaker {
  /** Whether it takes nothing now. It calls `drained` of its source when it takes again. */
  readonly stalled: boolean;
  /** Called synchronously when `next` may have something new, possibly for nothing. */
  onNotification(): void;
}

/**
 * A source of a stream's frames: one run, or many sources. The stream has the transport, the timer, the limits and the
 * check of the session. It asks for one piece at a time, and only while its transport takes bytes. So a source has no queue.
 */
export interface FrameSource {
  /**
   * Resolves when the stream may start.
   * @throws why it may not
   */
  readonly opened: Promise<unknown>;
  /** Whether it has opened. */
  readonly isOpen: boolean;
  /** Whether what `next` returned last was its end. */
  readonly isOver: boolean;
  /** Whether `next` would have to read the log. */
  readonly mustRead: boolean;
  /**
   * The next bytes, at once if they are in memory. A promise: `next` is to be called again once it has resolved, and not before. `null`:
   * nothing is there yet, and a notification will follow.
   * @throws why the source has ended
   */
  next(): Uint8Array | Promise<unknown> | null;
  /** The transport takes bytes again. */
  drained(): void;
  /** The frame that goes out after a silence. */
  heartbeat(): Uint8Array;
  /** The code of what `opened`, `next` or its promise has thrown. It is then the source's end. */
  codeOf(error: unknown): StreamErrorCode;
  /** The last frame, if the stream ends for this reason. */
  failure(code: StreamErrorCode): Uint8Array;
  /** Ends it at any time. Idempotent. */
  leave(): void;
}

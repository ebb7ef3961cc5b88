import type { Clock } from "@tm/run-events-core/wire";

/** The number of bytes that are enqueued at a time. */
const PIECE_BYTES = 65_536;

/** When to report that a body is over, and how long it may wait. */
export interface PulledBodyOptions {
  readonly clock: Clock;
  readonly stallMs: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Called once: when all of it has been read, or it will not be read any more. */
  readonly onOver: () => void;
}

/**
 * Makes a body that is pulled in pieces, so that `onOver` is called when the bytes have been read. If nothing is pulled for
 * `stallMs`, the body ends with an error.
 * @see clause W49 in `WIRE.md`
 */
export function createPulledBody(
  bytes: Uint8Array,
  { clock, stallMs, signal, onOver }: PulledBodyOptions,
): ReadableStream<Uint8Array> {
  let at = 0;
  let isOver = false;
  let stopStall = (): void => {};
  let cut = (): void => {};

  function finish(): void {
    if (isOver) return;
    isOver = true;
    stopStall();
    signal.removeEventListener("abort", cut);
    onOver();
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cut = () => {
          finish();
          controller.error(new DOMException("The answer was cut.", "AbortError"));
        };
        stopStall = clock.every(stallMs, cut);
        if (signal.aborted) cut();
        else signal.addEventListener("abort", cut);
      },
      pull(controller) {
        stopStall();
        const piece = bytes.slice(at, at + PIECE_BYTES);
        at += piece.length;
        controller.enqueue(piece);
        if (at < bytes.length) {
          stopStall = clock.every(stallMs, cut);
          return;
        }
        controller.close();
        finish();
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}

import type { StreamSink } from "./open-stream.ts";

/** The owner of the transport. It is an object, and not a function, to save memory. */
interface OutputOwner {
  /** The transport has thrown this error. */
  onBroken(error: unknown): void;
}

/**
 * The transport of a live stream, and whether it takes bytes. It may call back from within `write`. What it throws, its owner gets:
 * an error that went on up would end the stream's neighbours.
 */
export class StreamOutput {
  /** When the last frame went out. A heartbeat's is when it was due. */
  frameAt = 0;
  readonly #sink: StreamSink;
  readonly #owner: OutputOwner;
  /** Since when the transport is full; -1 while it takes bytes. */
  #blockedAt = -1;
  #writing = false;

  constructor(sink: StreamSink, owner: OutputOwner) {
    this.#sink = sink;
    this.#owner = owner;
  }

  /** While the transport is full. @see clause W25 in `WIRE.md` */
  get isFull(): boolean {
    return this.#blockedAt !== -1;
  }

  /** When a heartbeat is due, or while the transport is full, when the reader has stalled. */
  dueAt(beatMs: number, stallMs: number): number {
    return this.#blockedAt === -1 ? this.frameAt + beatMs : this.#blockedAt + stallMs;
  }

  /** Hands bytes over at this time. The transport is full then, unless it says otherwise. */
  write(bytes: Uint8Array, now: number): void {
    this.frameAt = now;
    // Full until the transport says otherwise, which it may do from within the write.
    this.#blockedAt = now;
    this.#writing = true;
    try {
      if (this.#sink.write(bytes) !== false) this.#blockedAt = -1;
    } catch (error) {
      this.#owner.onBroken(error);
    }
    this.#writing = false;
  }

  /**
   * The transport takes bytes again.
   * @returns whether a write is under way: then its caller continues by itself
   */
  drained(): boolean {
    this.#blockedAt = -1;
    return this.#writing;
  }

  /** Ends the answer after the bytes that were written, or cuts the connection. */
  close(how: "end" | "destroy"): void {
    try {
      this.#sink[how]();
    } catch (error) {
      this.#owner.onBroken(error);
    }
  }
}

/** Sends one frame through a transport that gets no stream, and ends it. */
export function sendLast(
  sink: StreamSink,
  frame: Uint8Array,
  onError: (error: unknown) => void,
): void {
  try {
    sink.write(frame);
    sink.end();
  } catch (error) {
    onError(error);
  }
}

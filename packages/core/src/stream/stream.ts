import type { Timed } from "../time/timetable.ts";
import { streamErrorCode, type StreamErrorCode } from "../wire/stream-error.ts";
import type { FrameSource, FrameTaker } from "./frame-source.ts";
import type { OpenStream, StreamEnd, StreamReader, StreamSink } from "./open-stream.ts";
import { sendLast, StreamOutput } from "./stream-output.ts";

/** The time that an ended stream may take to hand over its last bytes before it is cut, in milliseconds. */
const CLOSE_MS = 5_000;

/** The settings and callbacks that the streams of one process share. Times are in milliseconds. */
export interface StreamHost {
  readonly heartbeatMs: number;
  readonly maxAgeMs: number;
  readonly stallMs: number;
  /** The time by which a heartbeat may be early, so that none is late: the period of `tick`. */
  readonly tickMs: number;
  /** In whole milliseconds. */
  readonly now: () => number;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Before this time `tick` has nothing to do. */
  readonly onDue: (stream: Stream, dueAtMs: number) => void;
  /** Called once a stream, when its transport has closed, has thrown, or never comes. */
  readonly onClosed: (stream: Stream, end: StreamEnd) => void;
  /** Called with what a transport throws. Never throws. */
  readonly onError: (error: unknown) => void;
}

/**
 * The state machine of one live stream, of one run or of many. What was sent decides what comes next. Transport, timer
 * and notifications only cause a check. It has no timer and no queue.
 *
 * | state   | event                                            | next    | what happens                                          |
 * | ------- | ------------------------------------------------ | ------- | ----------------------------------------------------- |
 * | opening | the source has opened                            | opening | `ready` resolves                                      |
 * | opening | it has not;   `#drainAt` or `#endAt` passes      | closed  | `ready` resolves or, with `not_found`, rejects        |
 * | opening | `start`                                          | live    | the source's first frame, then what there is          |
 * | live    | a notification, `drained`, a page, a beat is due | live    | frames or a heartbeat, if the transport takes them    |
 * | live    | the source is over                               | ending  | its last frame                                        |
 * | live    | a read or check fails, it stalls, a limit passes | ending  | an `error` frame                                      |
 * | ending  | `#endAt` passes                                  | closed  | the connection is cut                                 |
 * | any     | `closed`                                         | closed  | its place among all streams is free                   |
 * | any     | the transport throws                             | closed  | the same; the connection is cut                       |
 * | closed  | `start`                                          | closed  | an `error` frame says why, if the client is connected |
 *
 * In every state a page may be on its way, or a check of the reader. Their results are used only if the stream is still live.
 * The transport may call back from within `write`: `StreamOutput` says what happens then.
 *
 * It holds small integers, to save memory: most streams of a process are idle.
 */
export class Stream implements OpenStream, FrameTaker, Timed {
  readonly reader: StreamReader;
  readonly ready: Promise<void>;
  /** The number of runs that it counts for. */
  readonly runs: number;
  place = 0;
  readonly #host: StreamHost;
  readonly #source: FrameSource;
  /** A little less than the heartbeat, and different for each stream: streams that opened together are spread out in time. */
  readonly #beatMs: number;
  #state: "opening" | "live" | "ending" | "closed" = "opening";
  /** `null` before `start`. */
  #output: StreamOutput | null = null;
  #end: StreamEnd = "disconnected";
  /** The error of its source, if it ends for that. */
  #error: unknown = undefined;
  /** Whether the client or the transport is gone. */
  #gone = false;
  #fetching = false;
  #checking = false;
  #checkedAt = 0;
  /** When this state ends at the latest. */
  #endAt: number;
  /** When a drain ends it, unless it has ended by then; `null` without a drain. */
  #drainAt: number | null = null;

  /**
   * Opens the stream, for a caller that awaits `ready`.
   * @param open makes its source
   * @throws what `open` throws
   */
  constructor(
    host: StreamHost,
    reader: StreamReader,
    runs: number,
    open: (taker: FrameTaker) => FrameSource,
  ) {
    this.#host = host;
    this.reader = reader;
    this.runs = runs;
    this.#beatMs = Math.floor(host.heartbeatMs * (0.97 + 0.03 * host.random()));
    this.#endAt = host.now() + host.stallMs;
    this.#source = open(this);
    this.ready = this.#source.opened.then(
      () => {},
      (error: unknown) => {
        this.#failWith(error);
        if (this.#end === "not_found") throw error;
      },
    );
  }

  /** While the transport is full. @see clause W25 in `WIRE.md` */
  get stalled(): boolean {
    return this.#output?.isFull === true;
  }

  start(sink: StreamSink): void {
    if (this.#state === "closed") {
      if (!this.#gone) this.#sendEnd(sink);
      return;
    }
    if (this.#state !== "opening" || !this.#source.isOpen) return;
    const { now, random, maxAgeMs } = this.#host;
    this.#state = "live";
    this.#output = new StreamOutput(sink, this);
    this.#checkedAt = now();
    this.#endAt = this.#checkedAt + Math.floor(maxAgeMs * (0.8 + 0.2 * random()));
    this.#output.frameAt = this.#checkedAt;
    this.#plan();
    this.onNotification();
  }

  drained(): void {
    if (this.#output?.drained() === true) return;
    this.#source.drained();
    this.#plan();
    this.onNotification();
  }

  closed(): void {
    this.#gone = true;
    this.#close(this.#end);
  }

  /** Ends this stream alone, after its transport has thrown. */
  onBroken(error: unknown): void {
    this.#host.onError(error);
    if (this.#state === "closed") return;
    this.closed();
    this.#output?.close("destroy");
  }

  /** Sends what is new, if the transport takes it. */
  onNotification(): void {
    while (this.#state === "live" && !this.stalled && !this.#fetching) {
      let next: Uint8Array | Promise<void> | null;
      try {
        next = this.#source.next();
      } catch (error) {
        this.#failWith(error);
        return;
      }
      if (next === null) return;
      if (next instanceof Promise) this.#fetch(next);
      else this.#send(next);
    }
  }

  /** Ends the stream with `draining` at this time, unless it ends before. @see clause W27 in `WIRE.md` */
  drain(atMs: number): void {
    if (this.#state === "ending" || this.#state === "closed") return;
    this.#drainAt = Math.min(this.#drainAt ?? atMs, atMs);
    this.#plan();
  }

  /** Acts on the time: heartbeats, limits and the end of a drain. */
  tick(time: number): void {
    switch (this.#state) {
      case "opening":
        // No transport has started, or the store does not answer. The stream's place is free then; a late transport gets the reason.
        if (this.#drainAt !== null && time >= this.#drainAt) this.#close("draining");
        else if (time >= this.#endAt) {
          this.#close(this.#source.isOpen ? "slow_consumer" : "store_unavailable");
        }
        return;
      case "live":
        if (this.#output !== null) this.#tickLive(time, this.#output);
        return;
      case "ending":
        if (time < this.#endAt) return;
        this.#close(this.#end);
        this.#output?.close("destroy");
        return;
      case "closed":
        return;
    }
  }

  #tickLive(time: number, output: StreamOutput): void {
    const { stallMs, tickMs } = this.#host;
    const beatMs = this.#beatMs - tickMs;
    const isDue = (): boolean => time >= output.dueAt(beatMs, stallMs);
    if (this.#drainAt !== null && time >= this.#drainAt) this.#fail("draining");
    else if (time >= this.#endAt) this.#fail("max_age");
    else if (output.isFull && isDue()) this.#fail("slow_consumer");
    else {
      // Counted from when it was due and not from the tick, so that each stream keeps its own pace.
      if (!this.#checking && time - this.#checkedAt >= beatMs) {
        this.#checkedAt = Math.max(this.#checkedAt + beatMs, time - tickMs);
        void this.#check();
      }
      if (!output.isFull && isDue()) {
        const dueAt = Math.max(output.frameAt + beatMs, time - tickMs);
        this.#write(this.#source.heartbeat());
        output.frameAt = dueAt;
      }
      this.#plan();
    }
  }

  #plan(): void {
    // A stream that has left the timetable has no place in it.
    if (this.#state === "closed") return;
    const { stallMs, tickMs, onDue } = this.#host;
    let dueAt = this.#endAt;
    if (this.#state !== "ending" && this.#drainAt !== null) dueAt = Math.min(dueAt, this.#drainAt);
    if (this.#state === "live" && this.#output !== null) {
      const beatMs = this.#beatMs - tickMs;
      const outputDueAt = this.#output.dueAt(beatMs, stallMs);
      dueAt = Math.min(dueAt, this.#checkedAt + beatMs, outputDueAt);
    }
    onDue(this, dueAt);
  }

  #write(bytes: Uint8Array): void {
    this.#output?.write(bytes, this.#host.now());
    if (this.stalled) this.#plan();
  }

  #fetch(page: Promise<void>): void {
    this.#fetching = true;
    page.then(
      () => {
        this.#fetching = false;
        this.onNotification();
      },
      (error: unknown) => {
        this.#fetching = false;
        this.#failWith(error);
      },
    );
  }

  #send(bytes: Uint8Array): void {
    const { isOver } = this.#source;
    this.#write(bytes);
    if (isOver) this.#finish("run_finished");
  }

  /** Ends the stream with an `error` frame; one that has not started is closed. */
  #fail(code: StreamErrorCode): void {
    if (this.#state === "opening") this.#close(code);
    if (this.#state !== "live") return;
    this.#write(this.#source.failure(code, this.#error));
    this.#finish(code);
  }

  #failWith(error: unknown): void {
    this.#error = error;
    this.#fail(streamErrorCode(error));
  }

  #finish(how: StreamEnd): void {
    if (this.#state !== "live") return;
    this.#state = "ending";
    this.#end = how;
    this.#endAt = this.#host.now() + CLOSE_MS;
    this.#plan();
    this.#source.leave();
    this.#output?.close("end");
  }

  #close(how: StreamEnd): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#end = how;
    this.#source.leave();
    this.#host.onClosed(this, how);
  }

  /** Sends the reason to a transport that starts after the stream was given up. */
  #sendEnd(sink: StreamSink): void {
    if (this.#end === "run_finished" || this.#end === "disconnected") return;
    sendLast(sink, this.#source.failure(this.#end, this.#error), this.#host.onError);
  }

  async #check(): Promise<void> {
    this.#checking = true;
    let refusal: StreamErrorCode | null;
    try {
      refusal = await this.reader.authorize();
    } catch {
      // The host's sessions did not answer. The reader did nothing wrong, so it may come back.
      refusal = "store_unavailable";
    }
    this.#checking = false;
    if (refusal !== null) this.#fail(refusal);
  }
}

import type { Follower } from "../follow/follower.ts";
import type { FollowerReader } from "../follow/reader-set.ts";
import type { Position, Slice } from "../follow/slice.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { Timed } from "../time/timetable.ts";
import { encodeHeartbeat } from "../wire/frame.ts";
import { encodeFailure, streamErrorCode, type StreamErrorCode } from "../wire/stream-error.ts";
import type {
  OpenStream,
  StreamEnd,
  StreamHost,
  StreamRequest,
  StreamSink,
} from "./open-stream.ts";
import { encodeOpening } from "./opening-frame.ts";
import { sendLast, StreamOutput } from "./stream-output.ts";

/** How long an ended stream may take to hand over its last bytes before it is cut, in milliseconds. */
const CLOSE_MS = 5_000;

/**
 * The state machine of one live stream. What was sent decides what comes next. Transport, timer and notifications only
 * cause a check. It has no timer and no queue.
 *
 * | state   | event                                            | next    | what happens                                          |
 * | ------- | ------------------------------------------------ | ------- | ----------------------------------------------------- |
 * | opening | the reader has its position                      | opening | `ready` resolves                                      |
 * | opening | it gets none; `#drainAt` or `#endAt` passes      | closed  | `ready` resolves or, with `not_found`, rejects        |
 * | opening | `start`                                          | live    | the `connected` frame, then what there is             |
 * | live    | a notification, `drained`, a page, a beat is due | live    | slices or a heartbeat, if the transport takes them    |
 * | live    | a slice ends the run                             | ending  | `run_finished`                                        |
 * | live    | a read or check fails, it stalls, a limit passes | ending  | an `error` frame                                      |
 * | ending  | `#endAt` passes                                  | closed  | the connection is cut                                 |
 * | any     | `closed`                                         | closed  | its place among all streams is free                   |
 * | any     | the transport throws                             | closed  | the same; the connection is cut                       |
 * | closed  | `start`                                          | closed  | an `error` frame says why, if the client is connected |
 *
 * In every state a page may be on its way, or a check of the reader. Their results are used only if the stream is still live.
 * The transport may call back from within `write`: `StreamOutput` says what happens then.
 *
 * The object is its own reader and holds small integers, to save memory: most streams of a process are idle.
 */
export class Stream implements OpenStream, FollowerReader, Timed {
  readonly request: StreamRequest;
  readonly ready: Promise<void>;
  position: Position | null = null;
  place = 0;
  readonly #host: StreamHost<Stream>;
  readonly #follower: Follower;
  /** A little less than the heartbeat, and different for each stream: streams that opened together are spread out in time. */
  readonly #beatMs: number;
  #state: "opening" | "live" | "ending" | "closed" = "opening";
  /** `null` before `start`. */
  #output: StreamOutput | null = null;
  #end: StreamEnd = "disconnected";
  /** The end of the log that the reader may know. */
  #head = 0;
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
   * @throws what `StreamHost.follow` throws
   */
  constructor(host: StreamHost<Stream>, request: StreamRequest) {
    this.#host = host;
    this.request = request;
    this.#beatMs = Math.floor(host.times.heartbeatMs * (0.97 + 0.03 * host.random()));
    this.#endAt = host.now() + host.times.stallMs;
    const { follower, opened } = host.follow(request, this);
    this.#follower = follower;
    this.ready = opened.then(
      ({ lastSequence }) => {
        this.#head = lastSequence;
      },
      (error: unknown) => {
        const code = streamErrorCode(error);
        this.#learnHead(error);
        this.#close(code);
        if (code === "not_found") throw error;
      },
    );
  }

  /** While the transport is full. @see clause W25 in `WIRE.md` */
  get stalled(): boolean {
    return this.#output?.isFull === true;
  }

  start(sink: StreamSink): void {
    const { position } = this;
    if (this.#state === "closed") {
      if (!this.#gone) this.#sendEnd(sink);
      return;
    }
    if (this.#state !== "opening" || position === null) return;
    const { now, random, times } = this.#host;
    this.#state = "live";
    this.#output = new StreamOutput(sink, this);
    this.#checkedAt = now();
    this.#endAt = this.#checkedAt + Math.floor(times.maxAgeMs * (0.8 + 0.2 * random()));
    this.#write(encodeOpening(this.request.runId, position, this.#head, random()));
    this.#plan();
    this.onNotification();
  }

  drained(): void {
    if (this.#output?.drained() === true) return;
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
    this.#output?.destroy();
  }

  /** Sends what is new, if the transport takes it. */
  onNotification(): void {
    while (this.#state === "live" && !this.stalled && !this.#fetching) {
      let next: Slice | Promise<Slice | null> | null;
      try {
        next = this.#follower.next(this);
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
          this.#close(this.position === null ? "store_unavailable" : "slow_consumer");
        }
        return;
      case "live":
        if (this.#output !== null) this.#tickLive(time, this.#output);
        return;
      case "ending":
        if (time < this.#endAt) return;
        this.#close(this.#end);
        this.#output?.destroy();
        return;
      case "closed":
        return;
    }
  }

  #tickLive(time: number, output: StreamOutput): void {
    const { times, tickMs } = this.#host;
    if (this.#drainAt !== null && time >= this.#drainAt) this.#fail("draining");
    else if (time >= this.#endAt) this.#fail("max_age");
    else if (output.isStalled(time, times.stallMs)) this.#fail("slow_consumer");
    else {
      const beatMs = this.#beatMs - tickMs;
      // Counted from when it was due and not from the tick, so that each stream keeps its own pace.
      if (!this.#checking && time - this.#checkedAt >= beatMs) {
        this.#checkedAt = Math.max(this.#checkedAt + beatMs, time - tickMs);
        void this.#check();
      }
      if (!output.isFull && time - output.frameAt >= beatMs && this.position !== null) {
        const dueAt = Math.max(output.frameAt + beatMs, time - tickMs);
        this.#write(encodeHeartbeat(this.position, Math.max(this.#head, this.position.sequence)));
        output.frameAt = dueAt;
      }
      this.#plan();
    }
  }

  #plan(): void {
    // A stream that has left the timetable has no place in it.
    if (this.#state === "closed") return;
    const { times, tickMs, onDue } = this.#host;
    let dueAt = this.#endAt;
    if (this.#state !== "ending" && this.#drainAt !== null) dueAt = Math.min(dueAt, this.#drainAt);
    if (this.#state === "live" && this.#output !== null) {
      const beatMs = this.#beatMs - tickMs;
      const outputDueAt = this.#output.dueAt(beatMs, times.stallMs);
      dueAt = Math.min(dueAt, this.#checkedAt + beatMs, outputDueAt);
    }
    onDue(this, dueAt);
  }

  #write(bytes: Uint8Array): void {
    this.#output?.write(bytes, this.#host.now());
    if (this.stalled) this.#plan();
  }

  #fetch(page: Promise<Slice | null>): void {
    this.#fetching = true;
    page.then(
      (slice) => {
        this.#fetching = false;
        // A heartbeat may have filled the transport meanwhile: the page is then read again when that has drained.
        if (this.#state !== "live" || this.stalled) return;
        if (slice !== null) this.#send(slice);
        this.onNotification();
      },
      (error: unknown) => {
        this.#fetching = false;
        this.#failWith(error);
      },
    );
  }

  #send(slice: Slice): void {
    this.position = slice.to;
    this.#head = Math.max(this.#head, slice.to.sequence);
    this.#write(slice.bytes());
    if (slice.finished) this.#finish("run_finished");
  }

  /** Ends the stream with an `error` frame; one that has not started is closed. */
  #fail(code: StreamErrorCode): void {
    if (this.#state === "opening") this.#close(code);
    if (this.#state !== "live") return;
    this.#write(encodeFailure(code, this.#head, this.#host.random));
    this.#finish(code);
  }

  #failWith(error: unknown): void {
    this.#learnHead(error);
    this.#fail(streamErrorCode(error));
  }

  /** The error of a store that has lost its tail says where the log ends now. */
  #learnHead(error: unknown): void {
    if (error instanceof RunEventsError) this.#head = error.details.lastSequence ?? this.#head;
  }

  #finish(how: StreamEnd): void {
    if (this.#state !== "live") return;
    this.#state = "ending";
    this.#end = how;
    this.#endAt = this.#host.now() + CLOSE_MS;
    this.#plan();
    this.#follower.leave(this);
    this.#output?.end();
  }

  #close(how: StreamEnd): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#end = how;
    this.#follower.leave(this);
    this.#host.onClosed(this, how);
  }

  /** Sends the reason to a transport that starts after the stream was given up. */
  #sendEnd(sink: StreamSink): void {
    if (this.#end === "run_finished" || this.#end === "disconnected") return;
    const { random, onError } = this.#host;
    sendLast(sink, encodeFailure(this.#end, this.#head, random), onError);
  }

  async #check(): Promise<void> {
    this.#checking = true;
    let refusal: StreamErrorCode | null;
    try {
      refusal = await this.request.authorize();
    } catch {
      // The host's sessions did not answer. The reader did nothing wrong, so it may come back.
      refusal = "store_unavailable";
    }
    this.#checking = false;
    if (refusal !== null) this.#fail(refusal);
  }
}

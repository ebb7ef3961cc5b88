import type { Follower } from "../follow/follower.ts";
import type { FollowerReader } from "../follow/reader-set.ts";
import type { Position, Slice } from "../follow/slice.ts";
import { RunEventsError } from "../rules/errors.ts";
import { INITIAL_STATE, isTerminal } from "../rules/lifecycle.ts";
import type { RunRecord } from "../rules/run.ts";
import { type HeadState, shownState } from "../rules/shown-state.ts";
import { encodeConnected, encodeFrames, encodeHeartbeat, openingRetry } from "../wire/frame.ts";
import {
  encodeError,
  retryAfter,
  streamErrorCode,
  type StreamErrorCode,
} from "../wire/stream-error.ts";
import type { FrameSource, FrameTaker } from "./frame-source.ts";
import type { RunRequest, SourceHost } from "./open-stream.ts";

/**
 * The frames of one run, alone on a stream or among those of many.
 *
 * | state     | event                         | next      | what happens                                                |
 * | --------- | ----------------------------- | --------- | ----------------------------------------------------------- |
 * | opening   | the reader has its position   | open      | `opened` resolves                                           |
 * | opening   | it gets none                  | over      | `opened` rejects                                            |
 * | open      | `next`                        | connected | the `connected` frame                                       |
 * | connected | `next`, a slice is in memory  | connected | its bytes; the position moves                               |
 * | connected | `next`, it has to be read     | fetching  | a promise                                                   |
 * | connected | `next`, nothing is there      | connected | `null`; the follower will notify                            |
 * | connected | `next`, a slice ends the run  | over      | its bytes, `run_finished` last                              |
 * | connected | `next`, the follower has ended | over     | it throws                                                   |
 * | fetching  | the slice has been read       | connected | it is held until `next`                                     |
 * | fetching  | the read fails                | over      | the promise rejects                                         |
 * | any       | `leave`                       | over      |                                                             |
 *
 * It is its own reader, to save memory: most streams of a process are idle.
 */
export class RunSource implements FrameSource, FollowerReader {
  position: Position | null = null;
  isOver = false;
  /** Whether the state of the first frame is known: some turns after the position is. */
  isOpen = false;
  readonly opened: Promise<unknown>;
  readonly #host: SourceHost;
  readonly #runId: string;
  readonly #taker: FrameTaker;
  readonly #isOneOfMany: boolean;
  /** `null` while the run's end has to be known first. */
  #follower: Follower | null = null;
  /** The state that was sent last. */
  #sent: HeadState = { ...INITIAL_STATE, lastSequence: 0 };
  #isConnected = false;
  #hasLeft = false;
  #held: Slice | null = null;

  /**
   * Begins to open the run.
   * @param isOneOfMany whether its frames name the run. @see clause W47 in `WIRE.md` of `@tm/run-events-http`
   * @throws what `SourceHost.follow` throws
   */
  constructor(host: SourceHost, run: RunRequest, taker: FrameTaker, isOneOfMany: boolean) {
    this.#host = host;
    this.#runId = run.runId;
    this.#taker = taker;
    this.#isOneOfMany = isOneOfMany;
    const opened =
      run.tail === undefined
        ? this.#follow(run)
        : host.tailStart(run, run.tail).then((since) => this.#follow({ ...run, since }));
    this.opened = opened.then((record) => {
      if (record === null) return;
      this.#sent = this.#standing(record);
      this.isOpen = true;
    });
  }

  get stalled(): boolean {
    return this.#taker.stalled;
  }

  get mustRead(): boolean {
    return this.#isConnected && this.#held === null && this.#follower?.mustRead(this) === true;
  }

  onNotification(): void {
    this.#taker.onNotification();
  }

  next(): Uint8Array | Promise<unknown> | null {
    const { position } = this;
    if (!this.isOpen || position === null || this.#follower === null) return null;
    if (!this.#isConnected) {
      this.#isConnected = true;
      const [runId, since, state] = [this.#runId, position.sequence, this.#sent];
      const retryMs = this.#isOneOfMany ? null : openingRetry(this.#host.random());
      const { lastSequence } = state;
      return encodeFrames([encodeConnected({ runId, since, state, lastSequence, retryMs })]);
    }
    const next = this.#held ?? this.#follower.next(this);
    if (next === null) return null;
    if (next instanceof Promise) return next.then((slice) => void (this.#held = slice));
    this.#held = null;
    this.position = next.to;
    this.isOver = next.finished;
    const { runStatus, phase } = this.#sent;
    this.#sent = this.#standing(this.#follower.head);
    const isNew = this.#sent.runStatus !== runStatus || this.#sent.phase !== phase;
    return next.bytes(isNew ? this.#sent : null, this.#isOneOfMany ? this.#runId : undefined);
  }

  /** The stream asks for what is next by itself. */
  drained(): void {}

  heartbeat(): Uint8Array {
    // No stream has a heartbeat before its first frame.
    if (!this.isOpen || this.#follower === null) return encodeFrames([]);
    this.#sent = this.#standing(this.#follower.head);
    return encodeHeartbeat(this.#sent, this.#sent.lastSequence);
  }

  /** The error of a store that has lost its tail says where the log ends now. */
  codeOf(error: unknown): StreamErrorCode {
    const lastSequence = error instanceof RunEventsError ? error.details.lastSequence : undefined;
    if (lastSequence !== undefined) this.#sent = { ...this.#sent, lastSequence };
    return streamErrorCode(error);
  }

  failure(code: StreamErrorCode): Uint8Array {
    const { lastSequence } = this.#sent;
    const frame = this.#isOneOfMany
      ? encodeError(code, { runId: this.#runId, lastSequence }, null)
      : encodeError(code, { lastSequence }, retryAfter(code, this.#host.random));
    return encodeFrames([frame]);
  }

  leave(): void {
    this.#hasLeft = true;
    this.#held = null;
    this.#follower?.leave(this);
  }

  /**
   * The state that may be sent of a head before `run_finished`: only that frame may say that the run has ended. A store that loses the end
   * of its log may have a shorter one than the reader.
   */
  #standing(head: HeadState): HeadState {
    const reached = this.position?.sequence ?? 0;
    const lastSequence = Math.max(head.lastSequence, reached);
    const { runStatus, phase } = shownState(head, reached);
    return { runStatus: isTerminal(runStatus) ? "running" : runStatus, phase, lastSequence };
  }

  #follow(run: RunRequest): Promise<RunRecord | null> {
    // It may have left while the run's end was read.
    if (this.#hasLeft) return Promise.resolve(null);
    const { follower, opened } = this.#host.follow(run, this);
    this.#follower = follower;
    return opened;
  }
}

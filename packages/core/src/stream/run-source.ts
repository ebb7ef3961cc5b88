import type { Follower } from "../follow/follower.ts";
import type { Followers } from "../follow/followers.ts";
import type { FollowerReader } from "../follow/reader-set.ts";
import type { Position, Slice } from "../follow/slice.ts";
import { RunEventsError } from "../rules/errors.ts";
import { INITIAL_STATE } from "../rules/lifecycle.ts";
import type { RunName } from "../rules/head.ts";
import type { RunStart } from "../rules/run-starts.ts";
import { type HeadState, standingState } from "../rules/shown-state.ts";
import { encodeConnected, encodeFrames, encodeHeartbeat, openingRetry } from "../wire/frame.ts";
import { encodeError, retryAfter, type StreamErrorCode } from "../wire/stream-error.ts";
import type { FrameSource, FrameTaker } from "./frame-source.ts";

const NO_STATE: HeadState = { ...INITIAL_STATE, lastSequence: 0 };

/**
 * The frames of one run, alone on a stream or among those of many: `connected`, then what its follower has. A slice that was read for it is
 * held until `next`. It is its own reader, to save memory: most streams of a process are idle.
 */
export class RunSource implements FrameSource, FollowerReader {
  position: Position | null = null;
  isOver = false;
  /** Whether the state of the first frame is known: some turns after the position is. */
  isOpen = false;
  readonly opened: Promise<void>;
  readonly #runId: string;
  readonly #random: () => number;
  readonly #taker: FrameTaker;
  readonly #isOneOfMany: boolean;
  /** `null` if the log is closed. */
  #follower: Follower | null = null;
  /** The state that was sent last. */
  #sent: HeadState = NO_STATE;
  #isConnected = false;
  #held: Slice | null = null;

  /**
   * Begins to open the run.
   * @param random 0 to 1, for the jitter
   * @param isOneOfMany whether its frames name the run. @see clause W47 in `WIRE.md` of `@tm/run-events-http`
   */
  constructor(
    followers: Followers,
    random: () => number,
    run: RunName & RunStart,
    taker: FrameTaker,
    isOneOfMany: boolean,
  ) {
    this.#runId = run.runId;
    this.#random = random;
    this.#taker = taker;
    this.#isOneOfMany = isOneOfMany;
    this.opened = this.#open(followers, run);
  }

  get stalled(): boolean {
    return this.#taker.stalled;
  }

  get #reached(): number {
    return this.position?.sequence ?? 0;
  }

  onNotification(): void {
    this.#taker.onNotification(this);
  }

  next(): Uint8Array | Promise<void> | null {
    const { position } = this;
    if (!this.isOpen || position === null || this.#follower === null) return null;
    if (!this.#isConnected) {
      this.#isConnected = true;
      const retryMs = this.#isOneOfMany ? null : openingRetry(this.#random());
      return encodeFrames([encodeConnected(this.#runId, position.sequence, this.#sent, retryMs)]);
    }
    const next = this.#held ?? this.#follower.next(this);
    if (next === null) return null;
    if (next instanceof Promise) return next.then((slice) => void (this.#held = slice));
    this.#held = null;
    this.position = next.to;
    this.isOver = next.finished;
    const { runStatus, phase } = this.#sent;
    this.#sent = this.#follower.standingAt(next.to.sequence);
    const isNew = this.#sent.runStatus !== runStatus || this.#sent.phase !== phase;
    return next.bytes(isNew ? this.#sent : null, this.#isOneOfMany ? this.#runId : undefined);
  }

  /** The stream asks for what is next by itself. */
  drained(): void {}

  heartbeat(): Uint8Array {
    // No stream has a heartbeat before its first frame.
    if (!this.isOpen || this.#follower === null) return encodeFrames([]);
    this.#sent = this.#follower.standingAt(this.#reached);
    return encodeHeartbeat(this.#sent);
  }

  failure(code: StreamErrorCode, error?: unknown): Uint8Array {
    // The error of a store that has lost its tail says where the log ends now.
    const end = error instanceof RunEventsError ? error.details.lastSequence : undefined;
    const lastSequence = end ?? this.#sent.lastSequence;
    const frame = this.#isOneOfMany
      ? encodeError(code, { runId: this.#runId, lastSequence }, null)
      : encodeError(code, { lastSequence }, retryAfter(code, this.#random));
    return encodeFrames([frame]);
  }

  leave(): void {
    this.#held = null;
    this.#follower?.leave(this);
  }

  async #open(followers: Followers, run: RunName & RunStart): Promise<void> {
    const { follower, opened } = followers.open(run, this, run);
    this.#follower = follower;
    this.#sent = standingState(await opened, this.#reached);
    this.isOpen = true;
  }
}

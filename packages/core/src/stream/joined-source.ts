import { encodeFrames, encodeStreamFrame, NO_RETRY_MS, openingRetry } from "../wire/frame.ts";
import {
  encodeError,
  retryAfter,
  STREAM_ERRORS,
  streamErrorCode,
  type StreamErrorCode,
} from "../wire/stream-error.ts";
import type { FrameSource, FrameTaker } from "./frame-source.ts";
import type { SourceHost } from "./open-stream.ts";

/**
 * The number of pages of the log that are read or held for one stream at once. It is fixed, so the memory of a stream does not grow with its runs.
 */
const MOST_PAGES = 4;
/** The number of parts that open at once, for the same reason: the read that opens a run takes an event and the run's metadata. */
const MOST_OPENING = 4;

const HEARTBEAT = encodeFrames([encodeStreamFrame("heartbeat", null)]);

/** One source among others, and what is known of it. */
class Part implements FrameTaker {
  readonly source: FrameSource;
  /** Whether it waits for its turn. */
  isQueued = false;
  /** Whether a page is on its way for it. */
  isReading = false;
  /** Whether a page is on its way for it, or has come and is not sent yet. */
  hasPage = false;
  /** Why it has ended, until its turn comes. */
  failure: { readonly error: unknown } | null = null;
  readonly #whole: PartOwner;

  constructor(open: (taker: FrameTaker) => FrameSource, whole: PartOwner) {
    this.#whole = whole;
    this.source = open(this);
  }

  get stalled(): boolean {
    return this.#whole.stalled;
  }

  /** Whether it needs a page at its turn. */
  get mustRead(): boolean {
    return this.failure === null && this.source.mustRead;
  }

  onNotification(): void {
    this.#whole.onNotificationOf(this);
  }
}

interface PartOwner {
  readonly stalled: boolean;
  onNotificationOf(part: Part): void;
}

/**
 * The frames of many sources on one stream. They take turns: each sends one piece at a time, and then waits behind all others that have
 * something to send. So none of them starves, however much another has. A few parts open at a time, in their order.
 *
 * | a part is | event                                        | next    | what happens                                          |
 * | --------- | -------------------------------------------- | ------- | ----------------------------------------------------- |
 * | quiet     | it opens, notifies, or the transport drains  | queued  |                                                       |
 * | queued    | its turn, it has bytes                       | queued  | they are sent; it waits for its next turn             |
 * | queued    | its turn, its bytes have to be read          | reading | the next part is asked                                |
 * | queued    | the same, and `MOST_PAGES` are read or held   | queued  | it keeps its place; the next part is asked            |
 * | queued    | its turn, it has nothing                     | quiet   | the next part is asked                                |
 * | queued    | its turn, it ends or has failed              | over    | its last frame is sent                                |
 * | reading   | the page has come, or the read has failed    | queued  |                                                       |
 *
 * When the last part is over, the stream ends with `stream_finished`. A part that fails ends alone.
 * @see clause W47 in `WIRE.md` of `@tm/run-events-http`
 */
export class JoinedSource implements FrameSource {
  readonly opened: Promise<void> = Promise.resolve();
  readonly isOpen = true;
  readonly mustRead = false;
  isOver = false;
  readonly #taker: FrameTaker;
  readonly #random: () => number;
  readonly #parts = new Set<Part>();
  /** The parts that may have something to send, in the order of their turns. */
  readonly #queue: Part[] = [];
  #pages = 0;
  /** The parts to open, the next one last. */
  readonly #unopened: ((taker: FrameTaker) => FrameSource)[];
  #opening = 0;
  /** Why a part could not begin to open. */
  #failure: { readonly error: unknown } | null = null;
  #hasBegun = false;
  /** Whether a part has failed in a way that may pass. */
  #mayComeBack = false;

  /**
   * Opens the first parts.
   * @param openings one for each part
   * @throws what one of the first openings throws; the parts before it have left. If a later one throws, the whole stream ends with that.
   */
  constructor(
    { random }: Pick<SourceHost, "random">,
    taker: FrameTaker,
    openings: readonly ((taker: FrameTaker) => FrameSource)[],
  ) {
    this.#random = random;
    this.#taker = taker;
    this.#unopened = openings.toReversed();
    try {
      this.#open();
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  get stalled(): boolean {
    return this.#taker.stalled;
  }

  onNotificationOf(part: Part): void {
    this.#enqueue(part);
    this.#taker.onNotification();
  }

  next(): Uint8Array | null {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return encodeFrames([encodeStreamFrame("stream_opened", openingRetry(this.#random()))]);
    }
    if (this.#failure !== null) throw this.#failure.error;
    for (;;) {
      const part = this.#take();
      if (part === undefined) break;
      const bytes = this.#ask(part);
      if (bytes !== null) return bytes;
    }
    if (this.#parts.size > 0) return null;
    this.isOver = true;
    const retryMs = this.#mayComeBack ? retryAfter("store_unavailable", this.#random) : NO_RETRY_MS;
    return encodeFrames([encodeStreamFrame("stream_finished", retryMs)]);
  }

  /** A run that was changed while the transport was full has not been read. */
  drained(): void {
    for (const part of this.#parts) this.#enqueue(part);
  }

  heartbeat(): Uint8Array {
    return HEARTBEAT;
  }

  codeOf(error: unknown): StreamErrorCode {
    return streamErrorCode(error);
  }

  failure(code: StreamErrorCode): Uint8Array {
    return encodeFrames([encodeError(code, {}, retryAfter(code, this.#random))]);
  }

  leave(): void {
    for (const { source } of this.#parts) source.leave();
    this.#parts.clear();
    this.#unopened.length = 0;
    this.#queue.length = 0;
  }

  /** Begins to open the next parts. */
  #open(): void {
    while (this.#opening < MOST_OPENING) {
      const open = this.#unopened.pop();
      if (open === undefined) return;
      this.#add(open);
      this.#opening += 1;
    }
  }

  #onOpened(): void {
    this.#opening -= 1;
    try {
      this.#open();
    } catch (error) {
      this.#failure = { error };
      this.#taker.onNotification();
    }
  }

  #add(open: (taker: FrameTaker) => FrameSource): void {
    const part = new Part(open, this);
    this.#parts.add(part);
    part.source.opened.then(
      () => {
        this.#onOpened();
        this.onNotificationOf(part);
      },
      (error: unknown) => {
        this.#onOpened();
        this.#onFailure(part, error);
      },
    );
  }

  #onFailure(part: Part, error: unknown): void {
    part.failure = { error };
    part.isReading = false;
    this.onNotificationOf(part);
  }

  #enqueue(part: Part): void {
    if (part.isQueued || part.isReading || !this.#parts.has(part)) return;
    part.isQueued = true;
    this.#queue.push(part);
  }

  /** The part whose turn it is. While as many pages are read as may be, the first one that needs no other. */
  #take(): Part | undefined {
    const isFull = this.#pages >= MOST_PAGES;
    const at = isFull ? this.#queue.findIndex((part) => !part.mustRead) : 0;
    const [part] = at < 0 ? [] : this.#queue.splice(at, 1);
    if (part !== undefined) part.isQueued = false;
    return part;
  }

  #ask(part: Part): Uint8Array | null {
    const { source, failure } = part;
    let next: Uint8Array | Promise<unknown> | null;
    try {
      if (failure !== null) throw failure.error;
      next = source.next();
    } catch (error) {
      return this.#end(part, error);
    }
    if (next === null) return null;
    if (next instanceof Promise) {
      this.#fetch(part, next);
      return null;
    }
    this.#returnPage(part);
    if (source.isOver) this.#remove(part);
    else this.#enqueue(part);
    return next;
  }

  #fetch(part: Part, page: Promise<unknown>): void {
    part.isReading = true;
    part.hasPage = true;
    this.#pages += 1;
    page.then(
      () => {
        part.isReading = false;
        this.onNotificationOf(part);
      },
      (error: unknown) => this.#onFailure(part, error),
    );
  }

  #returnPage(part: Part): void {
    if (part.hasPage) this.#pages -= 1;
    part.hasPage = false;
  }

  #remove(part: Part): void {
    this.#returnPage(part);
    this.#parts.delete(part);
    part.source.leave();
  }

  /** The last frame of a part that has failed. The others go on. */
  #end(part: Part, error: unknown): Uint8Array {
    const code = part.source.codeOf(error);
    this.#mayComeBack ||= STREAM_ERRORS[code].retryable;
    this.#remove(part);
    return part.source.failure(code);
  }
}

import type { ListPage, ListReader } from "../follow/list-reader.ts";
import {
  encodeFeedStarted,
  encodeFeedVersion,
  encodeRunGone,
  encodeRunState,
} from "../wire/feed-frame.ts";
import { encodeFrames } from "../wire/frame.ts";
import { encodeError, type StreamErrorCode } from "../wire/stream-error.ts";
import type { FramePart, FrameTaker } from "./frame-source.ts";

/**
 * The frames of a feed, among the runs of a stream. It holds one page at most, and asks for the next page when the transport has taken the page
 * before. A reader that takes nothing therefore costs one page, and gets the newest states afterwards. `next` never returns a promise that
 * waits for a page, because a page comes only when a run changes, and the other parts need their turns meanwhile.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class FeedSource implements FramePart {
  readonly opened: Promise<void> = Promise.resolve();
  /** A feed ends only by a failure. */
  readonly isOver = false;
  readonly #feed: Pick<ListReader, "next" | "leave">;
  readonly #taker: FrameTaker;
  #isAsked = false;
  #page: ListPage | null = null;
  /** The last version that was sent, with `more`. */
  #version = "";
  #failure: { readonly error: unknown } | null = null;

  constructor(feed: Pick<ListReader, "next" | "leave">, taker: FrameTaker) {
    this.#feed = feed;
    this.#taker = taker;
  }

  next(): Uint8Array | null {
    if (this.#failure !== null) throw this.#failure.error;
    const frames = this.#page === null ? [] : this.#framesOf(this.#page);
    this.#page = null;
    if (frames.length > 0) return encodeFrames(frames);
    // Nothing, or a page that has nothing new for the reader.
    if (!this.#isAsked) void this.#ask();
    return null;
  }

  failure(code: StreamErrorCode): Uint8Array {
    return encodeFrames([encodeError(code, { feed: true }, null)]);
  }

  leave(): void {
    this.#feed.leave();
  }

  async #ask(): Promise<void> {
    this.#isAsked = true;
    try {
      this.#page = await this.#feed.next();
    } catch (error) {
      this.#failure = { error };
    }
    this.#isAsked = false;
    this.#taker.onNotification(this);
  }

  #framesOf(page: ListPage): readonly string[] {
    const { begins, runs, gone, version, more, hasMore } = page;
    const isNew = !hasMore && this.#version !== `${version} ${more}`;
    if (isNew) this.#version = `${version} ${more}`;
    return [
      ...(begins === null ? [] : [encodeFeedStarted(begins === "same")]),
      ...gone.map(encodeRunGone),
      ...runs.map(({ run, last }) => encodeRunState(run, last)),
      ...(isNew ? [encodeFeedVersion(version, more)] : []),
    ];
  }
}

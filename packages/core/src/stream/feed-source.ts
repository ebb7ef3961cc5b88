import type { ListPage, ListReader } from "../follow/list-reader.ts";
import { fitSlice } from "../follow/slice.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import {
  encodeFeedStarted,
  encodeFeedVersion,
  encodeRunGone,
  encodeRunState,
} from "../wire/feed-frame.ts";
import { encodeFrames } from "../wire/frame.ts";
import { encodeError, streamErrorCode, type StreamErrorCode } from "../wire/stream-error.ts";
import type { FrameSource, FrameTaker } from "./frame-source.ts";

/**
 * The frames of a feed, among the runs of a stream. It holds one page at most, and asks for the next page when the transport has taken
 * the page before. It makes a frame when the transport takes the frame. So a reader that takes nothing costs one page, and gets the newest
 * states afterwards.
 *
 * | state   | event                       | next    | what happens                                               |
 * | ------- | --------------------------- | ------- | ---------------------------------------------------------- |
 * | idle    | `next`                      | asking  | the feed is asked for a page; `null`                       |
 * | asking  | `next`                      | asking  | `null`                                                     |
 * | asking  | the page has come           | holding | the stream is notified; an empty page makes it idle        |
 * | asking  | the feed has failed         | failed  | the same                                                   |
 * | holding | `next`, more frames are left | holding | a piece of 48 KiB, or one larger frame                     |
 * | holding | `next`, the last ones        | idle    | the same                                                   |
 * | failed  | `next`                      | failed  | it throws                                                  |
 * | any     | `leave`                     | over    | the feed ends; a page that comes later is dropped          |
 *
 * It never waits for a page in a promise of its `next`: a page comes when a run changes, and other parts need the place meanwhile.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class FeedSource implements FrameSource {
  readonly opened: Promise<void> = Promise.resolve();
  readonly isOpen = true;
  /** A feed ends only by a failure. */
  readonly isOver = false;
  readonly mustRead = false;
  readonly #feed: Pick<ListReader, "next" | "leave">;
  readonly #taker: FrameTaker;
  #state: "idle" | "asking" | "holding" | "failed" | "over" = "idle";
  /** Functions that make the frames of the page that have not been sent. */
  #frames: readonly (() => string)[] = [];
  /** The last version that was sent, with `more`. */
  #version = "";
  #failure: unknown = null;

  constructor(feed: Pick<ListReader, "next" | "leave">, taker: FrameTaker) {
    this.#feed = feed;
    this.#taker = taker;
  }

  next(): Uint8Array | null {
    switch (this.#state) {
      case "idle":
        this.#ask();
        return null;
      case "holding":
        return this.#piece();
      case "failed":
        throw this.#failure;
      case "asking":
      case "over":
        return null;
    }
  }

  /** The feed remembers what has changed. */
  drained(): void {}

  /** The heartbeat is of the whole stream. */
  heartbeat(): Uint8Array {
    return encodeFrames([]);
  }

  codeOf(error: unknown): StreamErrorCode {
    return streamErrorCode(error);
  }

  failure(code: StreamErrorCode): Uint8Array {
    return encodeFrames([encodeError(code, { feed: true }, null)]);
  }

  leave(): void {
    this.#state = "over";
    this.#frames = [];
    this.#feed.leave();
  }

  #ask(): void {
    this.#state = "asking";
    this.#feed.next().then(
      (page) => this.#take(page),
      (error: unknown) => this.#fail(error),
    );
  }

  #take(page: ListPage): void {
    // It may have left while the page was read.
    if (this.#state !== "asking") return;
    this.#frames = this.#framesOf(page);
    // A page may have nothing that the reader does not have.
    this.#state = this.#frames.length === 0 ? "idle" : "holding";
    this.#taker.onNotification();
  }

  #fail(error: unknown): void {
    if (this.#state !== "asking") return;
    this.#state = "failed";
    this.#failure = error;
    this.#taker.onNotification();
  }

  #framesOf(page: ListPage): readonly (() => string)[] {
    const { begins, runs, gone, last, version, more, hasMore } = page;
    const isNew = !hasMore && this.#version !== `${version} ${more}`;
    if (isNew) this.#version = `${version} ${more}`;
    return [
      ...(begins === null ? [] : [() => encodeFeedStarted(begins === "same")]),
      ...gone.map((runId) => () => encodeRunGone(runId)),
      ...runs.map((run) => {
        const event = last.get(run.runId);
        return () => encodeRunState(run, event);
      }),
      ...(isNew ? [() => encodeFeedVersion(version, more)] : []),
    ];
  }

  #piece(): Uint8Array {
    const made: string[] = [];
    const { length } = fitSlice(this.#frames, 0, (make) => {
      const frame = make();
      made.push(frame);
      return utf8Bytes(frame);
    });
    this.#frames = this.#frames.slice(length);
    if (this.#frames.length === 0) this.#state = "idle";
    return encodeFrames(made.slice(0, length));
  }
}

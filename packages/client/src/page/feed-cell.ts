import { FeedList } from "../feed/feed-list.ts";
import type { FeedWant } from "../feed/feed-want.ts";
import { CONNECTING, type FeedConnection } from "../feed/followed-feed.ts";

/** The time between two calls of the listener, in milliseconds. So thousands of states a second make only a few dozen views. */
const FRAME_MS = 16;

/** Keeps the runs that a page has of its owner's feed, and the connection's state. */
export class FeedCell {
  readonly list: FeedList = new FeedList();
  readonly #onChange: (gone: ReadonlySet<string>) => void;
  #wants: readonly FeedWant[] = [];
  #connection: FeedConnection = CONNECTING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Called when the wants have changed. */
  onWants = (): void => {};

  /** @param onChange called after changes, once a frame, with the runs that were removed */
  constructor(onChange: (gone: ReadonlySet<string>) => void) {
    this.#onChange = onChange;
  }

  /** What the page's views want. */
  get wants(): readonly FeedWant[] {
    return this.#wants;
  }

  set wants(wants: readonly FeedWant[]) {
    this.#wants = wants;
    this.onWants();
  }

  get connection(): FeedConnection {
    return this.#connection;
  }

  setConnection(connection: FeedConnection): void {
    const { state, error } = this.#connection;
    if (connection.state === state && connection.error?.message === error?.message) return;
    this.#connection = connection;
    this.changeSoon();
  }

  /** Calls the listener once a frame. */
  changeSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#onChange(this.list.takeGone());
    }, FRAME_MS);
  }
}

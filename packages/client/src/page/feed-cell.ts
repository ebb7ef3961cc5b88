import { covers, type FeedWant } from "../feed/feed-want.ts";
import { type FeedChanges, type FeedRuns, foldChanges, NO_RUNS } from "../feed/fold-changes.ts";
import { CONNECTING, type FeedConnection } from "../feed/followed-feed.ts";

/** The time between two calls of the listener, in milliseconds. So thousands of states a second make only a few dozen views. */
const FRAME_MS = 16;

/** Keeps the runs that a page has of its owner's feed, and the connection's state. */
export class FeedCell {
  readonly #onChange: (gone: ReadonlySet<string>) => void;
  #wants: readonly FeedWant[] = [];
  #list: FeedRuns = NO_RUNS;
  #connection: FeedConnection = CONNECTING;
  /** The runs that were removed since the last call of the listener. */
  #gone = new Set<string>();
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

  get list(): FeedRuns {
    return this.#list;
  }

  get connection(): FeedConnection {
    return this.#connection;
  }

  /** Whether it has every live run that is wanted. */
  has(want: FeedWant): boolean {
    const { feed } = this.#list;
    return feed !== null && covers(feed, want);
  }

  /** @param feed the feed of which these are the changes */
  take(changes: FeedChanges, feed: FeedWant): void {
    this.#list = foldChanges(this.#list, changes, feed);
    for (const { run } of changes.runs) this.#gone.delete(run.runId);
    for (const runId of changes.gone) this.#gone.add(runId);
    this.#changeSoon();
  }

  setConnection(connection: FeedConnection): void {
    const { state, error } = this.#connection;
    if (connection.state === state && connection.error?.message === error?.message) return;
    this.#connection = connection;
    this.#changeSoon();
  }

  #changeSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      const gone = this.#gone;
      this.#gone = new Set();
      this.#timer = undefined;
      this.#onChange(gone);
    }, FRAME_MS);
  }
}

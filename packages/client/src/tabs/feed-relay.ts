import { covers, type FeedWant, planFeed } from "../feed/feed-want.ts";
import {
  type FeedChanges,
  type FeedRuns,
  foldChanges,
  mergeChanges,
  NO_RUNS,
} from "../feed/fold-changes.ts";
import { CONNECTING, type FeedConnection } from "../feed/followed-feed.ts";
import type { RunsReaders } from "../follow/runs-readers.ts";
import { encodeError, type FeedMessage, type WantedFeed } from "./tab-messages.ts";

/** The runs of one message, when all come again. */
const MESSAGE_RUNS = 200;

/** Where a relay sends what it reads. */
export interface FeedPorts {
  readonly toOwn: (message: FeedMessage) => void;
  /** To all other tabs. Throws if the message cannot be copied. */
  readonly toOthers: (message: FeedMessage) => void;
  /** Shows all other tabs that the feed does not fit into messages. */
  readonly onApart: () => void;
  /** Sends what is unsent soon. */
  readonly sendSoon: () => void;
  /** The feed has failed. */
  readonly onFailed: () => void;
  readonly silentMs: () => number;
}

/**
 * Follows the owner's feed for all tabs, over the hub's connection: one feed, which serves what any of them wants. It keeps the runs, so that
 * a tab that comes later gets them, and numbers the changes, so that a tab knows whether it lacks one.
 */
export class FeedRelay {
  readonly #readers: RunsReaders;
  readonly #ports: FeedPorts;
  readonly #hub = String(Math.random());
  #number = 0;
  #feed: FeedWant | null = null;
  #list: FeedRuns;
  #connection: FeedConnection = CONNECTING;
  #stop = (): void => {};
  /** The changes that the other tabs have not got yet. */
  #unsent: FeedChanges | null = null;
  /** The number of the last change that the other tabs have got. */
  #sent = 0;
  #isDue = false;
  #isShared = false;
  /** Whether a run does not fit into messages. */
  #isApart = false;

  /** @param list what the own tab has: the feed goes on after it */
  constructor(readers: RunsReaders, list: FeedRuns | undefined, ports: FeedPorts) {
    this.#readers = readers;
    this.#ports = ports;
    this.#list = list ?? NO_RUNS;
  }

  /** Whether the feed is followed. */
  get isOn(): boolean {
    return this.#feed !== null;
  }

  /**
   * @param wanted what each tab wants
   * @param isShared whether another tab than the own one wants something
   */
  plan(wanted: readonly WantedFeed[], isShared: boolean): void {
    this.#isShared = isShared;
    const wants = wanted.flatMap((one) => one.wants);
    const feed = planFeed(this.#feed ?? this.#list.feed, wants);
    if (feed === this.#feed) return;
    this.#stop();
    this.#stop = () => {};
    const list = this.#list;
    this.#feed = feed;
    if (feed === null) return;
    const isSame = feed === list.feed && list.next === null;
    this.#connection = CONNECTING;
    this.#stop = this.#readers.addFeed(
      { ...feed, cursor: isSame ? list.cursor : null },
      {
        onChanges: (changes) => this.#takeChanges(feed, changes),
        onState: (connection) => this.#takeState(connection),
      },
    );
  }

  /**
   * Sends a tab all runs, unless it has them.
   * @param isNew whether it has not got each message so far
   */
  catchUp({ place }: WantedFeed, isNew: boolean, isOwn: boolean): void {
    if (this.#feed === null) return;
    this.send();
    if (place.hub === this.#hub && (!isNew || place.number === this.#number)) return;
    if (isOwn) for (const message of this.#whole(this.#feed)) this.#ports.toOwn(message);
    else this.#sendOthers(this.#whole(this.#feed));
  }

  /** Sends the other tabs what they have not got yet. */
  send(): void {
    const changes = this.#unsent;
    if (this.#feed === null || !this.#isDue) return;
    this.#isDue = false;
    this.#unsent = null;
    this.#sendOthers([this.#messageOf(this.#feed, changes, this.#sent)]);
    this.#sent = this.#number;
  }

  close(): void {
    this.send();
    this.#stop();
    this.#feed = null;
  }

  #takeChanges(feed: FeedWant, changes: FeedChanges): void {
    const from = this.#number;
    this.#number += 1;
    this.#list = foldChanges(this.#list, changes, feed);
    if (this.#isShared)
      this.#unsent = this.#unsent === null ? changes : mergeChanges(this.#unsent, changes);
    else this.#sent = this.#number;
    this.#ports.toOwn(this.#messageOf(feed, changes, from));
    this.#sendSoon();
  }

  #takeState(connection: FeedConnection): void {
    const feed = this.#feed;
    this.#connection = connection;
    if (feed === null) return;
    this.#ports.toOwn(this.#messageOf(feed, null, this.#number));
    this.#sendSoon();
    if (connection.state !== "failed") return;
    // A tab that comes later asks the server itself: its user may have signed in again.
    this.send();
    this.#feed = null;
    this.#list = NO_RUNS;
    this.#ports.onFailed();
  }

  #sendSoon(): void {
    if (!this.#isShared) return;
    this.#isDue = true;
    this.#ports.sendSoon();
  }

  #messageOf(feed: FeedWant, changes: FeedChanges | null, from: number): FeedMessage {
    const { state, error } = this.#connection;
    return {
      type: "feed",
      feed,
      from,
      place: { hub: this.#hub, number: this.#number },
      isWhole: false,
      hasRest: false,
      changes,
      connection: state,
      error: encodeError(error),
      silentMs: this.#ports.silentMs(),
    };
  }

  /** All runs again, in messages of bounded size. */
  *#whole(feed: FeedWant): Generator<FeedMessage, void, undefined> {
    const { runs, next, cursor, feed: whole } = this.#list;
    const all = [...(next ?? runs).values()].map(({ last, ...run }) =>
      last === null ? { run } : { run, last },
    );
    // If the feed has only begun, the rest follows as changes.
    const isPartial = next !== null || whole === null || !covers(whole, feed);
    let sent = 0;
    do {
      const part = all.slice(sent, sent + MESSAGE_RUNS);
      const isReset = sent === 0;
      sent += part.length;
      const hasRest = sent < all.length;
      const changes = { isReset, runs: part, gone: [], cursor, hasMore: hasRest || isPartial };
      yield { ...this.#messageOf(feed, changes, 0), isWhole: true, hasRest };
    } while (sent < all.length);
  }

  #sendOthers(messages: Iterable<FeedMessage>): void {
    const { toOthers, onApart } = this.#ports;
    try {
      if (!this.#isApart) for (const message of messages) toOthers(message);
    } catch {
      // A run is too deep to be copied.
      this.#isApart = true;
    }
    if (this.#isApart) onApart();
  }
}

import type { RunEventsError } from "@tm/run-events-core";
import { FeedList } from "../feed/feed-list.ts";
import { type FeedWant, planFeed } from "../feed/feed-want.ts";
import { CONNECTING, type FeedConnection, FollowedFeed } from "../feed/followed-feed.ts";
import type { RunsReader } from "../follow/follow-runs.ts";
import { onceAFrame } from "./once-a-frame.ts";
import type { Cell } from "./page-connection.ts";

/** Keeps the runs that a page has of its owner's list, and the connection's state. One feed serves what all views of the page want. */
export class FeedCell implements Cell {
  readonly runId = null;
  readonly list: FeedList = new FeedList();
  readonly #changeSoon: () => void;
  #wants: readonly FeedWant[] = [];
  #connection: FeedConnection = CONNECTING;
  #reader: RunsReader | null = null;
  /** The feed that is read. */
  #feed: FeedWant | null = null;
  #stop = (): void => {};

  /** @param onChange called after changes, once a frame, with the runs that were removed */
  constructor(onChange: (gone: ReadonlySet<string>) => void) {
    this.#changeSoon = onceAFrame(() => onChange(this.list.takeGone()));
  }

  /** The wants of the page's views. */
  get wants(): readonly FeedWant[] {
    return this.#wants;
  }

  set wants(wants: readonly FeedWant[]) {
    this.#wants = wants;
    this.#plan();
  }

  get connection(): FeedConnection {
    return this.#connection;
  }

  get isOver(): boolean {
    return this.#connection.state === "failed";
  }

  show(state: "paused" | "failed", error: RunEventsError | null): void {
    this.#setConnection({ state, error });
  }

  read(reader: RunsReader): () => void {
    this.#reader = reader;
    // The reading of an earlier reader has ended with it.
    this.#feed = null;
    this.#plan();
    return () => {
      this.#reader = null;
      this.#stop();
    };
  }

  #plan(): void {
    if (this.#reader === null || this.isOver) return;
    const next = planFeed(this.#feed ?? this.list.feed, this.#wants);
    if (next === this.#feed) return;
    this.#stop();
    this.#feed = next;
    if (next === null) return;
    const followed = new FollowedFeed(next, this.list, {
      onChange: this.#changeSoon,
      onState: (connection) => this.#setConnection(connection),
    });
    this.#stop = this.#reader.follow(followed);
  }

  #setConnection(connection: FeedConnection): void {
    const { state, error } = this.#connection;
    if (connection.state === state && connection.error?.message === error?.message) return;
    this.#connection = connection;
    this.#changeSoon();
  }
}

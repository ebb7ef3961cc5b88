import type { RunEventsError } from "@tm/run-events-core";
import { toError } from "../http/server-errors.ts";
import type { FeedFrame } from "./feed-frame.ts";
import type { FeedWant } from "./feed-want.ts";
import { type FeedChanges, mergeChanges } from "./fold-changes.ts";

/** What a feed's connection does. */
export interface FeedConnection {
  /** As of a run that is followed, but it does not finish. `failed` is final. */
  readonly state: "connecting" | "live" | "paused" | "polling" | "failed";
  /** Why the last attempt was lost, or why following failed; `null` if neither happened. */
  readonly error: RunEventsError | null;
}

/** Before the first answer. */
export const CONNECTING: FeedConnection = { state: "connecting", error: null };

/** What a reader of a feed does with it. */
export interface FeedListener {
  readonly onChanges: (changes: FeedChanges) => void;
  /** Called after each change of the connection. */
  readonly onState: (connection: FeedConnection) => void;
}

/** What a feed asks for, and where it goes on. */
export interface FeedStart extends FeedWant {
  /** The version of the list that the reader has; `null` for none. */
  readonly version: string | null;
}

/** A list as a poll answers it, or that it still has the version that was asked for. */
export type PolledList = (Pick<FeedChanges, "runs" | "more"> & { readonly version: string }) | null;

/** A feed that is followed: its version and its state. It makes the same changes of frames as of polls. */
export class FollowedFeed {
  readonly #want: FeedWant;
  readonly #listener: FeedListener;
  #version: string | null;
  #more = false;
  /** Whether the reader has the whole list. */
  #isWhole: boolean;
  /** The runs of the last answer to a poll; `null` before the first one, and after a stream. */
  #polled: ReadonlySet<string> | null = null;
  #connection: FeedConnection = CONNECTING;
  /** The changes of frames that came together. */
  #gathered: FeedChanges | null = null;
  #isStopped = false;
  /** How often in a row the server could not read the feed. */
  failures = 0;

  constructor({ topic, last, version }: FeedStart, listener: FeedListener) {
    this.#want = { topic, last };
    this.#listener = listener;
    this.#version = version;
    this.#isWhole = version !== null;
  }

  get isLive(): boolean {
    return this.#connection.state === "live";
  }

  /** Whether a stream serves this feed, or is about to. */
  get isOpen(): boolean {
    return this.isLive || this.#connection.state === "connecting";
  }

  /** Where to go on. */
  start(): FeedStart {
    return { ...this.#want, version: this.#version };
  }

  /** Its listener is not called any more. */
  stop(): void {
    this.#isStopped = true;
  }

  update(change: Partial<FeedConnection>): void {
    const next = { ...this.#connection, ...change };
    const { state, error } = this.#connection;
    if (this.#isStopped || (next.state === state && next.error === error)) return;
    this.#connection = next;
    this.#listener.onState(next);
  }

  fail(cause: unknown): void {
    this.update({ state: "failed", error: toError(cause) });
    this.stop();
  }

  /** Takes a frame. Its change is handed over by the next `flush`, with those of the frames after it. */
  takeFrame(frame: FeedFrame): void {
    if (frame.type === "feed_started") {
      this.flush();
      this.update({ state: "live", error: null });
      this.#polled = null;
      if (!frame.same) this.#gather({ isReset: true });
    } else if (frame.type === "run") {
      const { run, last } = frame;
      this.#gather({ runs: [last === undefined ? { run } : { run, last }] });
    } else if (frame.type === "run_gone") this.#gather({ gone: [frame.runId] });
    else this.#gather({ version: frame.version, more: frame.more, hasMore: false });
  }

  /** Hands over what was gathered. */
  flush(): void {
    const changes = this.#gathered;
    this.#gathered = null;
    if (changes !== null) this.take(changes);
  }

  /** Hands changes over. */
  take(changes: FeedChanges): void {
    if (this.#isStopped) return;
    // A list that begins again may fail again as well.
    if (!changes.isReset) this.failures = 0;
    this.#version = changes.version;
    this.#more = changes.more;
    this.#isWhole = !changes.hasMore;
    this.#listener.onChanges(changes);
  }

  /** Takes the answer to a poll. Only the first one begins the list again. */
  takeList(list: PolledList): void {
    this.failures = 0;
    if (list === null) return;
    const polled = this.#polled;
    const ids = new Set(list.runs.map(({ run }) => run.runId));
    this.#polled = ids;
    const gone = [...(polled ?? [])].filter((runId) => !ids.has(runId));
    this.take({ ...list, isReset: polled === null, gone, hasMore: false });
  }

  #gather(change: Partial<FeedChanges>): void {
    const before = this.#gathered;
    const isReset = change.isReset === true;
    const next = {
      isReset: false,
      runs: [],
      gone: [],
      // A list that begins again has no version, and not every run, until the server says so.
      version: isReset ? null : (before ?? { version: this.#version }).version,
      more: before?.more ?? this.#more,
      hasMore: isReset || (before?.hasMore ?? !this.#isWhole),
      ...change,
    };
    this.#gathered = before === null ? next : mergeChanges(before, next);
  }
}

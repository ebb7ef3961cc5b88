import type { RunEventsError } from "@tm/run-events-core";
import type { FeedCell } from "./feed-cell.ts";
import { followFeed } from "./follow-feed.ts";
import type { RunCell } from "./run-cell.ts";
import { onPresenceChange } from "../follow/page-signals.ts";
import { RunsReader } from "../follow/follow-runs.ts";
import { StreamSlot } from "../follow/stream-slot.ts";
import { limitFetch } from "../http/limit-fetch.ts";
import type { ServerOptions } from "../http/server.ts";
import { toError } from "../http/server-errors.ts";
import { runsAddress } from "../http/server-url.ts";

/** Where the server is, and for whom runs are followed. */
export interface ConnectionOptions extends ServerOptions {
  /** Who is signed in. Views of different users share nothing. */
  readonly userId?: string | undefined;
}

/** A page that is hidden for this long, in milliseconds, reads nothing any more until it is seen. */
const HIDDEN_MS = 10_000;
/** How many polls that the server answers at once may be on their way: a browser has six connections to a host. */
const MOST_POLLS = 2;

/** The connections of this page. */
const connections = new Map<string, PageConnection>();

/**
 * The connection of this page for a server and a user. A token or a cookie without a `userId` shares nothing: each run has its own connection.
 * @param runId the run to follow; `null` for the feed
 */
export function connectionFor(options: ConnectionOptions, runId: string | null): PageConnection {
  const { userId, credential = "session" } = options;
  const key = JSON.stringify([runsAddress(options), userId, credential]);
  const known = connections.get(key);
  const isShared = credential === "session" || userId !== undefined;
  if (!isShared || known?.follows(runId) === true) return new PageConnection(options, () => {});
  const connection = known ?? new PageConnection(options, () => connections.delete(key));
  connections.set(key, connection);
  return connection;
}

/** What is read for a cell. */
interface Part {
  readonly runId: string | null;
  /** @returns stops reading */
  readonly read: (reader: RunsReader) => () => void;
  /** Shows that nothing is read for now, or why reading has failed. */
  readonly show: (state: "paused" | "failed", error: RunEventsError | null) => void;
  readonly isOver: () => boolean;
  stop: () => void;
}

/**
 * Reads all that a page follows of a server, over one connection, from the first run or feed until the last one is left.
 *
 * | it    | until                                | then                                                  |
 * | ----- | ------------------------------------ | ----------------------------------------------------- |
 * | reads | the page is hidden for 10 s, or left | is away: its connection is closed, and its slot free  |
 * | away  | the page is seen again               | reads on after what the cells have                    |
 * | any   | nothing is followed any more         | closed                                                |
 */
export class PageConnection {
  readonly #options: ConnectionOptions;
  readonly #onClose: () => void;
  readonly #parts = new Set<Part>();
  readonly #stopWatching: () => void;
  #slot: StreamSlot | null = null;
  #reader: RunsReader | null = null;
  #isHidden = false;
  #isAway = false;
  #hiding: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onClose called once, when nothing is followed any more
   * @param watch calls its listener now, and when the page becomes hidden or visible, or is left
   */
  constructor(
    options: ConnectionOptions,
    onClose: () => void,
    watch: typeof onPresenceChange = onPresenceChange,
  ) {
    this.#options = options;
    this.#onClose = onClose;
    this.#stopWatching = watch((presence) => {
      clearTimeout(this.#hiding);
      this.#isHidden = presence !== "visible";
      this.#slot?.setHidden(this.#isHidden);
      if (presence === "visible") this.#comeBack();
      else if (presence === "left") this.#goAway();
      else this.#hiding = setTimeout(() => this.#goAway(), HIDDEN_MS);
    });
  }

  /** Whether it follows this run, or with `null` the feed. */
  follows(runId: string | null): boolean {
    return [...this.#parts].some((part) => part.runId === runId && !part.isOver());
  }

  /**
   * Follows a run to its end, or until the signal aborts. It never throws: the cell shows a failure.
   * @param cell gets the events. Reading begins after those that it has
   */
  followRun(runId: string, cell: RunCell, signal: AbortSignal): void {
    const isOver = (): boolean => ["finished", "failed"].includes(cell.connection().state);
    const read = (reader: RunsReader): (() => void) => {
      const listener = { onEvents: cell.add, onState: cell.setConnection };
      return reader.add(runId, { since: cell.cursor(), at: cell.at() }, listener);
    };
    const show: Part["show"] = (state, error) =>
      cell.setConnection({ ...cell.connection(), state, error });
    this.#add({ runId, read, show, isOver, stop: () => {} }, signal);
  }

  /**
   * Follows the owner's feed, until the signal aborts. It never throws: the cell shows a failure.
   * @param cell says what is wanted, and gets the runs
   */
  followFeed(cell: FeedCell, signal: AbortSignal): void {
    const isOver = (): boolean => cell.connection.state === "failed";
    const read = (reader: RunsReader): (() => void) => followFeed(reader, cell);
    const show: Part["show"] = (state, error) => cell.setConnection({ state, error });
    this.#add({ runId: null, read, show, isOver, stop: () => {} }, signal);
  }

  #add(part: Part, signal: AbortSignal): void {
    this.#parts.add(part);
    signal.addEventListener("abort", () => {
      part.stop();
      this.#parts.delete(part);
      if (this.#parts.size === 0) this.#close();
    });
    if (this.#isAway) part.show("paused", null);
    else this.#read(part);
  }

  #read(part: Part): void {
    try {
      part.stop = part.read(this.#open());
    } catch (error) {
      part.show("failed", toError(error));
    }
  }

  #open(): RunsReader {
    if (this.#reader !== null) return this.#reader;
    const { baseUrl = "", fetch = globalThis.fetch } = this.#options;
    const slot = new StreamSlot(baseUrl, () => reader.reopen());
    const reader = new RunsReader({
      ...this.#options,
      pollFetch: limitFetch(fetch, MOST_POLLS),
      slot,
    });
    slot.setHidden(this.#isHidden);
    [this.#slot, this.#reader] = [slot, reader];
    return reader;
  }

  /** Closes the connection, and gives its slot back. */
  #goAway(): void {
    this.#isAway = true;
    this.#reader?.close();
    [this.#slot, this.#reader] = [null, null];
    for (const part of this.#parts) if (!part.isOver()) part.show("paused", null);
  }

  #comeBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    for (const part of this.#parts) if (!part.isOver()) this.#read(part);
  }

  #close(): void {
    clearTimeout(this.#hiding);
    this.#stopWatching();
    this.#reader?.close();
    this.#onClose();
  }
}

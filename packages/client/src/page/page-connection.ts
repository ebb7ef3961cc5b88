import type { RunEventsError } from "@tm/run-events-core";
import { onPresenceChange } from "../follow/page-signals.ts";
import { RunsReader } from "../follow/follow-runs.ts";
import { StreamSlot } from "../follow/stream-slot.ts";
import type { ServerOptions } from "../http/server.ts";
import { toError } from "../http/server-errors.ts";
import { runsAddress } from "../http/server-url.ts";

/** Where the server is, and for whom runs are followed. */
export interface ConnectionOptions extends ServerOptions {
  /** The user who is signed in. Views of different users share nothing. */
  readonly userId?: string | undefined;
}

/** A page that is hidden for this long, in milliseconds, reads nothing any more until it is seen. */
const HIDDEN_MS = 10_000;

/** The connections of this page. */
const connections = new Map<string, PageConnection>();

/**
 * Views with the same key share what they show. A credential's function is not part of it, because each render may make a new one.
 * @param runId the run that they show; `null` for the list
 */
export function shareKey(
  { userId, credential = "session", ...server }: ConnectionOptions,
  runId: string | null,
): string {
  return JSON.stringify([runsAddress(server), userId, credential, runId]);
}

/**
 * The connection of this page for a server and a user. A token or a cookie without a `userId` shares nothing: each run has its own connection.
 * @param runId the run to follow; `null` for the feed
 */
export function connectionFor(options: ConnectionOptions, runId: string | null): PageConnection {
  const { userId, credential = "session" } = options;
  const key = shareKey(options, null);
  const known = connections.get(key);
  const isShared = credential === "session" || userId !== undefined;
  if (!isShared || known?.follows(runId) === true) return new PageConnection(options, () => {});
  const connection = known ?? new PageConnection(options, () => connections.delete(key));
  connections.set(key, connection);
  return connection;
}

/** Keeps what is read of a run, or of the owner's list. */
export interface Cell {
  /** `null` for the list. */
  readonly runId: string | null;
  readonly isOver: boolean;
  /**
   * Reads on after what it has.
   * @returns stops reading
   */
  read(reader: RunsReader): () => void;
  /** Shows that nothing is read for now, or why reading has failed. */
  show(state: "paused" | "failed", error: RunEventsError | null): void;
}

/**
 * Reads all that a page follows of a server, over one connection, from the first cell until the last one is left.
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
  /** The function that stops the reading of each. */
  readonly #cells = new Map<Cell, () => void>();
  readonly #stopWatching: () => void;
  #reader: RunsReader | null = null;
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
      if (presence === "visible") this.#comeBack();
      else if (presence === "left") this.#goAway();
      else this.#hiding = setTimeout(() => this.#goAway(), HIDDEN_MS);
    });
  }

  /** Whether it follows this run, or with `null` the feed. */
  follows(runId: string | null): boolean {
    return [...this.#cells.keys()].some((cell) => cell.runId === runId && !cell.isOver);
  }

  /** Reads for a cell, until the signal aborts. It never throws: the cell shows a failure. */
  follow(cell: Cell, signal: AbortSignal): void {
    this.#cells.set(cell, () => {});
    signal.addEventListener("abort", () => {
      this.#cells.get(cell)?.();
      this.#cells.delete(cell);
      if (this.#cells.size === 0) this.#close();
    });
    if (this.#isAway) cell.show("paused", null);
    else this.#read(cell);
  }

  #read(cell: Cell): void {
    try {
      this.#cells.set(cell, cell.read(this.#open()));
    } catch (error) {
      cell.show("failed", toError(error));
    }
  }

  #open(): RunsReader {
    if (this.#reader !== null) return this.#reader;
    const slot = new StreamSlot(this.#options.baseUrl ?? "");
    return (this.#reader = new RunsReader({ ...this.#options, slot }));
  }

  /** Closes the connection, and gives its slot back. */
  #goAway(): void {
    this.#isAway = true;
    this.#reader?.close();
    this.#reader = null;
    for (const cell of this.#cells.keys()) if (!cell.isOver) cell.show("paused", null);
  }

  #comeBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    for (const cell of this.#cells.keys()) if (!cell.isOver) this.#read(cell);
  }

  #close(): void {
    clearTimeout(this.#hiding);
    this.#stopWatching();
    this.#reader?.close();
    this.#onClose();
  }
}

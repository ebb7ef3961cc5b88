import { onPresenceChange } from "../follow/page-signals.ts";
import { RunsReader } from "../follow/follow-runs.ts";
import type { Part } from "../follow/plan-attempt.ts";
import { StreamSlot } from "../follow/stream-slot.ts";
import type { ServerOptions } from "../http/server.ts";
import { runsAddress } from "../http/server-url.ts";

/** Where the server is, and for whom runs are followed. Of the views that share something, the first one's server is asked. */
export interface ConnectionOptions extends ServerOptions {
  /** The user who is signed in. Set it if users can change without a reload of the page: views of different users share nothing. */
  readonly userId?: string | undefined;
}

/** A page that has been hidden for this long, in milliseconds, reads nothing until it is visible again. */
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

/** The connection of this page for a server and a user. A token or a cookie without a `userId` shares nothing: each run has its own connection. */
export function connectionFor(options: ConnectionOptions): PageConnection {
  const { userId, credential = "session" } = options;
  const isShared = credential === "session" || userId !== undefined;
  if (!isShared) return new PageConnection(options, () => {});
  const key = shareKey(options, null);
  const connection =
    connections.get(key) ?? new PageConnection(options, () => connections.delete(key));
  connections.set(key, connection);
  return connection;
}

/**
 * Reads all that a page follows of a server, over one connection, from the first part until the last one is left.
 *
 * | it    | until                                | then                                                  |
 * | ----- | ------------------------------------ | ----------------------------------------------------- |
 * | reads | the page is hidden for 10 s, or left | is away: its connection is closed, and its slot free  |
 * | away  | the page is seen again               | reads on after what the parts have                    |
 * | any   | nothing is followed any more         | closed                                                |
 */
export class PageConnection {
  readonly #options: ConnectionOptions;
  readonly #onClose: () => void;
  /** By part, the function that stops reading it. */
  readonly #parts = new Map<Part, () => void>();
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

  /** Reads for a part, until the signal aborts. It never throws: the part shows a failure. */
  follow(part: Part, signal: AbortSignal): void {
    this.#parts.set(part, () => {});
    signal.addEventListener("abort", () => {
      this.#parts.get(part)?.();
      this.#parts.delete(part);
      if (this.#parts.size === 0) this.#close();
    });
    if (this.#isAway) part.update({ state: "paused", error: null });
    else this.#read(part);
  }

  #read(part: Part): void {
    try {
      this.#parts.set(part, this.#open().follow(part));
    } catch (error) {
      part.fail(error);
    }
  }

  #open(): RunsReader {
    if (this.#reader !== null) return this.#reader;
    const slot = new StreamSlot(this.#options.baseUrl ?? "");
    return (this.#reader = new RunsReader({ ...this.#options, slot }));
  }

  /** Closes the connection, and releases its slot. */
  #goAway(): void {
    this.#isAway = true;
    for (const part of this.#parts.keys()) part.update({ state: "paused", error: null });
    this.#reader?.close();
    this.#reader = null;
  }

  #comeBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    for (const part of this.#parts.keys()) this.#read(part);
  }

  #close(): void {
    clearTimeout(this.#hiding);
    this.#stopWatching();
    this.#reader?.close();
    this.#onClose();
  }
}

import { RunEventsError } from "@tm/run-events-core";
import { followWithActivity } from "../follow/follow-run.ts";
import { type LinkedAbort, linkAbort } from "../http/link-abort.ts";
import { pause } from "../http/pause.ts";
import { readRange } from "../http/read-range.ts";
import type { RunCell } from "./run-cell.ts";
import { createServer, type ServerOptions } from "../http/server.ts";
import type { ConnectionState } from "../follow/connection-state.ts";
import {
  encodeRunMessages,
  type Message,
  MESSAGE_VERSION,
  type RunMessage,
} from "./tab-messages.ts";

/** Which run is followed, for whom, and where the server is. */
export interface SharedRunOptions extends ServerOptions {
  readonly runId: string;
  /** Who is signed in. Tabs of different users share nothing. */
  readonly userId?: string | undefined;
}

/** A waiting tab that gets no message for this long, in milliseconds, asks the leading tab for one. */
const ASK_MS = 15_000;
/** The shortest time to wait for an answer, in milliseconds. A frozen tab may not answer. */
const ANSWER_MS = 3_000;
/**
 * If a tab has received nothing from the server for this long, in milliseconds, its answer does not count. A frozen page may still
 * answer other tabs although its timers and its stream have stopped. A live tab gives up a silent stream earlier.
 */
const STALE_MS = 40_000;
/** How long the last message may take to the other tabs, in milliseconds. */
const LAST_MESSAGE_MS = 1_000;

/**
 * Follows a run over one connection for all tabs of an origin. Over HTTP/1.1 a browser has six connections to a host, and each stream
 * takes one. The tab that holds a lock has the connection and sends the events to the others. When it closes, the next tab takes the
 * lock and continues.
 *
 * A tab has its own connection in these cases:
 *
 * - the host has no locks or channels, or refuses them;
 * - the tab uses a token or a cookie without a `userId`;
 * - the run has an event that does not fit into a message.
 * @param cell gets the events. Reading begins after those that it has
 * @throws as `followRun`
 * @see https://www.w3.org/TR/web-locks/
 */
export async function followInTabs(
  options: SharedRunOptions,
  cell: RunCell,
  whole: AbortSignal,
): Promise<void> {
  const { userId = "", credential = "session" } = options;
  const { locks } =
    (globalThis as { readonly navigator?: { readonly locks?: LockManager } }).navigator ?? {};
  const hasUser = credential === "session" || userId !== "";
  return locks === undefined || typeof BroadcastChannel === "undefined" || !hasUser
    ? lead(options, cell, whole)
    : new RunTab(options, cell, whole, locks).follow();
}

/**
 * A tab among those that share a run.
 *
 * | role      | until                                                             | then      |
 * | --------- | ----------------------------------------------------------------- | --------- |
 * | `waiting` | it gets the lock, in its turn or from a tab that does not answer  | `leading` |
 * | `waiting` | a message shows that the run does not fit into messages           | `apart`   |
 * | `waiting` | the server refuses events that the leading tab does not have      | `apart`   |
 * | `leading` | another tab takes the lock from it                                | `waiting` |
 */
class RunTab {
  readonly #options: SharedRunOptions;
  readonly #cell: RunCell;
  readonly #whole: AbortSignal;
  readonly #locks: LockManager;
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  // Not a timer: a hidden page's timers are late, and the other tabs may be visible.
  readonly #soon = new MessageChannel();
  /** Aborts when this tab stops sharing. */
  readonly #share: LinkedAbort;
  readonly #over = Promise.withResolvers<void>();
  #role: "waiting" | "leading" | "apart" = "waiting";
  /** Whether a request for the lock waits for its turn. */
  #isQueued = false;
  #isAsking = false;
  #isReading = false;
  #isBroadcastDue = false;
  /** The sequence of the last event that has been sent to the other tabs. */
  #sent = 0;
  #activeAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SharedRunOptions, cell: RunCell, whole: AbortSignal, locks: LockManager) {
    const { baseUrl = "", runId, userId = "" } = options;
    this.#options = options;
    this.#cell = cell;
    this.#whole = whole;
    this.#locks = locks;
    this.#name = `run-events ${MESSAGE_VERSION} ${JSON.stringify([baseUrl, runId, userId])}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#share = linkAbort(whole);
  }

  async follow(): Promise<void> {
    this.#soon.port1.onmessage = () => this.#broadcastUpdate();
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
    this.#channel.onmessageerror = () => this.#goApart();
    try {
      this.#share.signal.throwIfAborted();
      this.#after(0, () => this.#requestEvents());
      this.#queue();
      await this.#over.promise;
    } finally {
      clearTimeout(this.#timer);
      this.#share.abort();
      this.#channel.close();
      this.#soon.port1.close();
    }
  }

  #after(ms: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }

  #requestEvents(): void {
    this.#isAsking = true;
    this.#channel.postMessage({ ask: this.#cell.cursor() } satisfies Message);
    // All tabs got the last message at the same time, so a random delay lets one of them take over.
    this.#after(ANSWER_MS * (1 + Math.random()), () => this.#requestLock({ steal: true }));
  }

  #receive(message: Message): void {
    if ("ask" in message) {
      if (this.#role === "leading") this.#broadcast(message.ask);
    } else if ("apart" in message) this.#goApart();
    else if (this.#role === "waiting") this.#accept(message);
  }

  #accept({ events, from, start, connection, error, silentMs }: RunMessage): void {
    const isAlive = silentMs < STALE_MS;
    if (from > this.#cell.cursor()) {
      if (isAlive && start > this.#cell.cursor()) void this.#readUpTo(start);
      // This tab joined after these events. It asks once for the earlier ones.
      else if (isAlive && this.#isAsking) this.#after(ANSWER_MS, () => this.#requestEvents());
      else if (isAlive) this.#requestEvents();
      return;
    }
    if (isAlive) {
      this.#isAsking = false;
      this.#after(ASK_MS, () => this.#requestEvents());
    }
    this.#cell.add(events);
    const own = this.#cell.connection();
    // More events of this tab's gap are still on their way.
    if (own.cursor < connection.cursor) return;
    const { state } = connection;
    this.#cell.setConnection({
      // A tab that has just taken over, and has fewer events, knows an older status.
      ...(own.cursor === connection.cursor ? connection : own),
      state,
      error: error && new RunEventsError(error.code, error.message, error),
    });
    if (state === "finished" || state === "failed") this.#over.resolve();
  }

  /** Reads the events that the leading tab does not have: it began before the end. */
  async #readUpTo(until: number): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    clearTimeout(this.#timer);
    const { signal } = this.#share;
    const show = (error: RunEventsError | null): void =>
      this.#cell.setConnection({
        ...this.#cell.connection(),
        state: error === null ? "connecting" : "waiting",
        error,
      });
    try {
      const range = { runId: this.#options.runId, since: this.#cell.cursor(), until };
      const patience = { signal, onRetry: show };
      for await (const events of readRange(createServer(this.#options), range, patience)) {
        if (this.#role !== "waiting") return;
        this.#cell.add(events);
        show(null);
      }
      this.#requestEvents();
    } catch {
      // The tab's own connection shows why the server refuses.
      if (!signal.aborted) this.#goApart();
    } finally {
      this.#isReading = false;
    }
  }

  #broadcast(since: number): void {
    const silentMs = performance.now() - this.#activeAt;
    try {
      for (const message of encodeRunMessages(this.#cell, since, silentMs))
        this.#channel.postMessage(message);
    } catch {
      // An event is too deep to be copied.
      this.#channel.postMessage({ apart: true } satisfies Message);
    }
  }

  #broadcastUpdate(): void {
    this.#isBroadcastDue = false;
    if (this.#role !== "leading" || this.#share.signal.aborted) return;
    this.#broadcast(this.#sent);
    this.#sent = this.#cell.cursor();
  }

  /** Sends events that arrive together in one message. */
  #broadcastSoon(): void {
    if (!this.#isBroadcastDue) this.#soon.port2.postMessage(null);
    this.#isBroadcastDue = true;
  }

  /** Stops to share, and opens its own connection. */
  #goApart(): void {
    if (this.#role !== "waiting") return;
    this.#role = "apart";
    clearTimeout(this.#timer);
    this.#share.abort();
    this.#channel.close();
    lead(this.#options, this.#cell, this.#whole).then(this.#over.resolve, this.#over.reject);
  }

  /** Asks for the lock, and waits for its turn. */
  #queue(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    this.#requestLock({ signal: this.#share.signal });
  }

  #requestLock(how: LockOptions): void {
    const leading = linkAbort(this.#share.signal);
    let progress: "none" | "leading" | "over" = "none";
    void this.#locks
      .request(this.#name, how, async () => {
        if (how.steal !== true) this.#isQueued = false;
        progress = "leading";
        try {
          await this.#lead(leading.signal);
        } finally {
          progress = "over";
          this.#broadcastUpdate();
          // Keep the lock a little longer, so that no tab takes over before it gets the last message.
          await pause(LAST_MESSAGE_MS, leading.signal);
        }
      })
      .then(this.#over.resolve, (error: unknown) => {
        leading.abort(error);
        if (this.#role === "apart") return;
        this.#role = "waiting";
        if (this.#share.signal.aborted || progress === "over") return this.#over.reject(error);
        // Some pages have a lock manager that they are not allowed to use.
        if (progress === "none") return this.#goApart();
        // This tab was frozen and did not answer, so another tab has taken the lock from it.
        this.#after(0, () => this.#requestEvents());
        this.#queue();
      })
      .finally(leading.abort);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.#role = "leading";
    clearTimeout(this.#timer);
    this.#sent = this.#cell.cursor();
    const onActivity = (): void => void (this.#activeAt = performance.now());
    onActivity();
    await lead(this.#options, this.#cell, signal, () => this.#broadcastSoon(), onActivity);
  }
}

async function lead(
  options: SharedRunOptions,
  cell: RunCell,
  signal: AbortSignal,
  onChange: () => void = () => {},
  onActivity: () => void = () => {},
): Promise<void> {
  onChange();
  const place = { since: cell.cursor(), at: cell.at() };
  const onConnectionState = (connection: ConnectionState): void => {
    cell.setConnection(connection);
    onChange();
  };
  for await (const event of followWithActivity(
    { ...options, ...place, signal, onConnectionState },
    onActivity,
  )) {
    cell.add([event]);
    onChange();
  }
}

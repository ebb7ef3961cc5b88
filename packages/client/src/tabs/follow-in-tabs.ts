import { RunEventsError } from "@tm/run-events-core";
import { followWithActivity } from "../follow/follow-run.ts";
import { type LinkedAbort, linkAbort } from "../http/link-abort.ts";
import { pause } from "../http/pause.ts";
import type { RunCell } from "./run-cell.ts";
import type { ServerOptions } from "../http/server.ts";
import type { ConnectionState } from "../follow/connection-state.ts";
import {
  encodeRunMessages,
  type Message,
  MESSAGE_VERSION,
  type RunMessage,
} from "./tab-messages.ts";

/** Which run is followed, and for whom. */
export interface SharedRunOptions extends ServerOptions {
  readonly runId: string;
  /** Who is signed in. What one user sees is never shown to another. */
  readonly userId?: string;
}

/** How often a tab that hears nothing asks whether the other is still there, in milliseconds. */
const ASK_MS = 15_000;
/** The shortest time to wait for an answer, in milliseconds: a frozen tab gives none. */
const ANSWER_MS = 3_000;
/**
 * If a tab has received nothing for this long, in milliseconds, its answer does not count. A frozen page still answers other
 * tabs, but its timers and its stream stand still. A live tab gives up a silent stream earlier.
 */
const STALE_MS = 40_000;
/** How long the last word takes to the others at most, in milliseconds. */
const LAST_MESSAGE_MS = 1_000;

/**
 * Follows a run in one tab for all tabs of the origin that ask for it: the holder of a lock has the connection and tells the
 * others, and when it goes the next one goes on. Over HTTP/1.1 a browser has six connections to a host, and a stream takes
 * one for as long as it lasts. Where the host has no locks or channels, or refuses them, each has its own connection; so has a tab
 * with a token, unless it says whose it is, and each tab of a run whose events do not fit into messages.
 * @param cell is filled, and tells where to begin
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
 * | role      | until                                                          | then      |
 * | --------- | -------------------------------------------------------------- | --------- |
 * | `waiting` | it gets the lock, in its turn or from a tab that gives no sign | `leading` |
 * | `waiting` | it hears that the run does not fit into messages               | `apart`   |
 * | `leading` | another tab takes the lock from it                             | `waiting` |
 */
class RunTab {
  readonly #options: SharedRunOptions;
  readonly #cell: RunCell;
  readonly #whole: AbortSignal;
  readonly #locks: LockManager;
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  // Timers of a page that nobody sees come late, and the others may be seen.
  readonly #soon = new MessageChannel();
  /** Aborts when this tab stops sharing. */
  readonly #share: LinkedAbort;
  readonly #over = Promise.withResolvers<void>();
  #role: "waiting" | "leading" | "apart" = "waiting";
  /** Whether it has asked for the lock and waits for its turn. */
  #isQueued = false;
  #isAsking = false;
  #isBroadcastDue = false;
  /** The cursor that the others have been told of. */
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
    this.#channel.postMessage({ ask: this.#cell.events.length } satisfies Message);
    // All tabs got its last message at the same time, and only one of them is to take over.
    this.#after(ANSWER_MS * (1 + Math.random()), () => this.#requestLock({ steal: true }));
  }

  #receive(message: Message): void {
    if ("ask" in message) {
      if (this.#role === "leading") this.#broadcast(message.ask);
    } else if ("apart" in message) this.#goApart();
    else if (this.#role === "waiting") this.#accept(message);
  }

  #accept({ events, from, connection, error, silentMs }: RunMessage): void {
    const isAlive = silentMs < STALE_MS;
    if (from > this.#cell.events.length) {
      // This tab joined after these events, and asks once for the earlier ones.
      if (isAlive && this.#isAsking) this.#after(ANSWER_MS, () => this.#requestEvents());
      else if (isAlive) this.#requestEvents();
      return;
    }
    if (isAlive) {
      this.#isAsking = false;
      this.#after(ASK_MS, () => this.#requestEvents());
    }
    this.#cell.add(events);
    const own = this.#cell.connection();
    // The rest is on its way.
    if (own.cursor < connection.cursor) return;
    const { state } = connection;
    this.#cell.setConnection({
      // One that has just taken over, and is not as far yet, has no news of the run.
      ...(own.cursor === connection.cursor ? connection : own),
      state,
      error: error && new RunEventsError(error.code, error.message, error),
    });
    if (state === "finished" || state === "failed") this.#over.resolve();
  }

  #broadcast(since: number): void {
    const silentMs = performance.now() - this.#activeAt;
    try {
      for (const message of encodeRunMessages(this.#cell, since, silentMs))
        this.#channel.postMessage(message);
    } catch {
      // An event that is too deep to be copied.
      this.#channel.postMessage({ apart: true } satisfies Message);
    }
  }

  #broadcastUpdate(): void {
    this.#isBroadcastDue = false;
    if (this.#role !== "leading" || this.#share.signal.aborted) return;
    this.#broadcast(this.#sent);
    this.#sent = this.#cell.events.length;
  }

  /** Sends what arrives together in one go. */
  #broadcastSoon(): void {
    if (!this.#isBroadcastDue) this.#soon.port2.postMessage(null);
    this.#isBroadcastDue = true;
  }

  /** Stops sharing, and opens its own connection. */
  #goApart(): void {
    if (this.#role !== "waiting") return;
    this.#role = "apart";
    clearTimeout(this.#timer);
    this.#share.abort();
    this.#channel.close();
    lead(this.#options, this.#cell, this.#whole).then(this.#over.resolve, this.#over.reject);
  }

  /** Takes its turn for the lock. */
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
          // The next tab is not to take over what has just ended: the others are to hear of it first.
          await pause(LAST_MESSAGE_MS, leading.signal);
        }
      })
      .then(this.#over.resolve, (error: unknown) => {
        leading.abort(error);
        if (this.#role === "apart") return;
        this.#role = "waiting";
        if (this.#share.signal.aborted || progress === "over") return this.#over.reject(error);
        // A page may have a lock manager that it must not use.
        if (progress === "none") return this.#goApart();
        // Another tab heard nothing of this one, which was frozen, and has taken the lock from it.
        this.#after(0, () => this.#requestEvents());
        this.#queue();
      })
      .finally(leading.abort);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.#role = "leading";
    clearTimeout(this.#timer);
    this.#sent = this.#cell.events.length;
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
  const since = cell.events.length;
  const onConnectionState = (connection: ConnectionState): void => {
    cell.setConnection(connection);
    onChange();
  };
  for await (const event of followWithActivity(
    { ...options, since, signal, onConnectionState },
    onActivity,
  )) {
    cell.add([event]);
    onChange();
  }
}

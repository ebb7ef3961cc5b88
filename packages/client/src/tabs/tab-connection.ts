import type { ServerOptions } from "../http/server.ts";
import { onVisibilityChange } from "../follow/page-signals.ts";
import type { RunCell } from "./run-cell.ts";
import { RunHub } from "./run-hub.ts";
import {
  type Answer,
  type Message,
  MESSAGE_VERSION,
  type Place,
  type RunMessage,
} from "./tab-messages.ts";
import { TabLock } from "./tab-lock.ts";
import { TabMember } from "./tab-member.ts";

/** Where the server is, and for whom runs are followed. */
export interface ConnectionOptions extends ServerOptions {
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
/** How long a tab keeps the connection after the end of its last run, in milliseconds: the last message is on its way to other tabs. */
const LINGER_MS = 1_000;
/** A tab that is hidden for this long, in milliseconds, reads nothing any more until it is seen. */
const HIDDEN_MS = 10_000;

/**
 * The connection of a tab for everything that it follows. All tabs of an origin share one, because over HTTP/1.1 a browser has six
 * connections to a host. The tab that holds a lock leads: it reads what any tab wants, and sends it to the others.
 *
 * | role      | until                                                             | then                                   |
 * | --------- | ----------------------------------------------------------------- | -------------------------------------- |
 * | `waiting` | it gets the lock, in its turn or from a tab that does not answer  | `leading`                              |
 * | `waiting` | the host refuses locks or messages                                | `alone`                                |
 * | `leading` | another tab takes the lock from it                                | `waiting`                              |
 * | any       | it is hidden for 10 s                                             | reads nothing, and gives the lock away |
 * | any       | every run that it shows has been over for a second                | closed                                 |
 * | any       | it shows nothing                                                  | closed                                 |
 *
 * A tab that is `alone` has a connection for itself. So has each tab for a run with an event that does not fit into a message, and for
 * a run of which it has other events than the leading tab.
 * @see https://www.w3.org/TR/web-locks/
 */
export class TabConnection {
  readonly #options: ConnectionOptions;
  readonly #onClose: () => void;
  readonly #members = new Set<TabMember>();
  readonly #id = String(Math.random());
  readonly #lock: TabLock | undefined;
  readonly #channel: BroadcastChannel | undefined;
  readonly #stopWatching: () => void;
  #role: "waiting" | "leading" | "alone" = "waiting";
  #isClosed = false;
  #isAway = false;
  /** What this tab leads. */
  #hub: RunHub | null = null;
  /** What this tab reads for itself alone. */
  #ownHub: RunHub | null = null;
  /** The runs that this tab reads for itself: one has an event that does not fit into a message, another has changed its history. */
  readonly #apart = new Set<string>();
  #asked = 0;
  #isAsking = false;
  /** Whether another tab has been heard. */
  #hasOthers = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hiding: ReturnType<typeof setTimeout> | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onClose called once, when the connection is closed because nothing is followed any more
   * @param watch calls its listener now, and when the page becomes hidden or visible
   */
  constructor(
    options: ConnectionOptions,
    onClose: () => void,
    watch: typeof onVisibilityChange = onVisibilityChange,
  ) {
    const { baseUrl = "", userId = "", credential = "session" } = options;
    const host = globalThis as { readonly navigator?: { readonly locks?: LockManager } };
    this.#options = options;
    this.#onClose = onClose;
    const { locks } = host.navigator ?? {};
    const hasUser = credential === "session" || userId !== "";
    if (hasUser && locks !== undefined && typeof BroadcastChannel !== "undefined") {
      const name = `run-events ${MESSAGE_VERSION} ${JSON.stringify([baseUrl, userId])}`;
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
      this.#channel.onmessageerror = () => this.#beAlone();
      this.#lock = new TabLock(locks, name, {
        onLead: () => this.#lead(),
        onLost: () => {
          this.#stopLeading();
          this.#lock?.queue();
          this.#sync();
        },
        onRefused: () => this.#beAlone(),
      });
      this.#lock.queue();
    } else this.#role = "alone";
    this.#stopWatching = watch((isHidden) => {
      clearTimeout(this.#hiding);
      if (!isHidden) this.#comeBack();
      else this.#hiding = setTimeout(() => this.#goAway(), HIDDEN_MS);
    });
  }

  /**
   * Follows a run to its end.
   * @param cell gets the events. Reading begins after those that it has
   * @returns resolves when the run has finished or failed, or the signal has aborted. Never rejects: the cell shows a failure
   */
  async follow(runId: string, cell: RunCell, signal: AbortSignal): Promise<void> {
    clearTimeout(this.#lingering);
    const member = new TabMember(this.#options, runId, cell, signal);
    this.#members.add(member);
    signal.addEventListener("abort", () => {
      this.#members.delete(member);
      this.#sync();
      if (this.#members.size === 0) this.#close();
    });
    this.#sync();
    await member.over;
    this.#sync();
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    clearTimeout(this.#lingering);
    if (this.#isClosed || [...this.#members].some(({ isOver }) => !isOver)) return;
    this.#lingering = setTimeout(() => this.#close(), LINGER_MS);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    for (const timer of [this.#timer, this.#hiding, this.#lingering]) clearTimeout(timer);
    this.#stopWatching();
    this.#ownHub?.close();
    this.#ownHub = null;
    if (this.#role === "waiting") this.#ask();
    clearTimeout(this.#timer);
    this.#stopLeading();
    this.#lock?.release();
    this.#channel?.close();
  }

  /** What this tab shows and has not got to the end, after which sequence. */
  #wanted(isApart: boolean): ReadonlyMap<string, Place> {
    const runs = new Map<string, Place>();
    if (this.#isAway) return runs;
    for (const { runId, cell, isOver } of this.#members) {
      if (isOver || isApart !== (this.#role === "alone" || this.#apart.has(runId))) continue;
      const place = { since: cell.cursor(), at: cell.at() };
      if (place.since < (runs.get(runId)?.since ?? Infinity)) runs.set(runId, place);
    }
    return runs;
  }

  /** Passes on what this tab wants after each change of it. */
  #sync(): void {
    if (this.#isClosed) return;
    const own = this.#wanted(true);
    if (own.size > 0) (this.#ownHub ??= this.#createHub(true)).wantOwn(own);
    else {
      this.#ownHub?.close();
      this.#ownHub = null;
    }
    if (this.#role === "leading") this.#hub?.wantOwn(this.#wanted(false));
    else if (this.#role === "waiting" && this.#isAway) this.#ask();
    else if (this.#role === "waiting") this.#after(0, () => this.#ask());
  }

  #createHub(isApart: boolean): RunHub {
    return new RunHub(this.#options, isApart || !this.#hasOthers, {
      toOwn: (message) => this.#accept(message, isApart),
      toOthers: (message) => {
        if (!isApart) this.#channel?.postMessage(message);
      },
      cellOf: (runId) => [...this.#members].find((member) => member.runId === runId)?.cell,
    });
  }

  #after(ms: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }

  /** Sends the leading tab what this tab wants. If there is something, the leading tab has to answer. */
  #ask(): void {
    const runs = this.#wanted(false);
    this.#asked += 1;
    this.#isAsking = true;
    this.#channel?.postMessage({
      type: "want",
      tab: this.#id,
      ask: this.#asked,
      runs,
    } satisfies Message);
    // All tabs got the last message at the same time, so a random delay lets one of them take over.
    if (runs.size > 0) this.#after(ANSWER_MS * (1 + Math.random()), () => this.#lock?.steal());
  }

  #receive(message: Message): void {
    this.#hasOthers = true;
    if (message.type === "want") {
      if (this.#role === "leading") this.#hub?.want(message);
    } else if (this.#role !== "waiting" || this.#isAway) return;
    else if (message.type === "who") this.#ask();
    else if (message.type === "apart") {
      this.#apart.add(message.runId);
      this.#sync();
    } else {
      if (message.silentMs < STALE_MS) this.#hearLeader(message);
      if (message.type === "run") this.#accept(message, false);
    }
  }

  /** A live tab leads. */
  #hearLeader(message: Answer | RunMessage): void {
    if (message.type === "answer" && message.tab === this.#id && message.ask === this.#asked)
      this.#isAsking = false;
    this.#after(this.#isAsking ? ANSWER_MS : ASK_MS, () => this.#ask());
  }

  #accept(message: RunMessage, isApart: boolean): void {
    if (isApart !== (this.#role === "alone" || this.#apart.has(message.runId))) return;
    for (const member of this.#members) {
      if (member.runId !== message.runId) continue;
      if (!isApart && member.isStrange(message)) {
        // Each tab asks the server whether its own events are still there.
        this.#apart.add(message.runId);
        return this.#sync();
      }
      // This tab joined after these events. It asks once for the earlier ones.
      if (!member.accept(message) && this.#role === "waiting" && !this.#isAsking) this.#ask();
    }
  }

  /** Gives up what this tab reads, and the lead. */
  #goAway(): void {
    this.#isAway = true;
    for (const member of this.#members) member.wait();
    this.#stopLeading();
    this.#lock?.release();
    clearTimeout(this.#timer);
    this.#sync();
  }

  /** Goes on where the tab was. */
  #comeBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    if (this.#role === "waiting") this.#lock?.queue();
    this.#sync();
  }

  /** Has its own connection for everything from now on. */
  #beAlone(): void {
    if (this.#role !== "waiting") return;
    this.#role = "alone";
    clearTimeout(this.#timer);
    this.#lock?.release();
    this.#sync();
  }

  #lead(): void {
    this.#role = "leading";
    this.#isAsking = false;
    clearTimeout(this.#timer);
    this.#hub = this.#createHub(false);
    this.#channel?.postMessage({ type: "who" } satisfies Message);
    this.#sync();
  }

  #stopLeading(): void {
    if (this.#role !== "leading") return;
    this.#hub?.close();
    this.#hub = null;
    this.#role = "waiting";
  }
}

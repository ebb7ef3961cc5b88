import type { ServerOptions } from "../http/server.ts";
import { runsAddress } from "../http/server-url.ts";
import { onVisibilityChange } from "../follow/page-signals.ts";
import type { FeedCell } from "./feed-cell.ts";
import { FeedMember } from "./feed-member.ts";
import type { RunCell } from "./run-cell.ts";
import { isMessage } from "./is-message.ts";
import { RunHub } from "./run-hub.ts";
import {
  type Answer,
  type FeedMessage,
  type Message,
  MESSAGE_VERSION,
  type RunMessage,
  type Wanted,
  wantsAny,
} from "./tab-messages.ts";
import { TabLock } from "./tab-lock.ts";
import { TabMembers } from "./tab-members.ts";

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

/** What a tab wants that reads nothing. */
const NOTHING: Wanted = { runs: new Map(), feed: null };

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
  readonly #members = new TabMembers();
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
  #asked = 0;
  #isAsking = false;
  /** Whether this tab wants other runs than it last asked for. No message of the leading tab may delay that request. */
  #isAskDue = false;
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
    const { userId = "", credential = "session" } = options;
    const host = globalThis as { readonly navigator?: { readonly locks?: LockManager } };
    this.#options = options;
    this.#onClose = onClose;
    const { locks } = host.navigator ?? {};
    const hasUser = credential === "session" || userId !== "";
    if (hasUser && locks !== undefined && typeof BroadcastChannel !== "undefined") {
      const name = `run-events ${MESSAGE_VERSION} ${JSON.stringify([runsAddress(options), userId])}`;
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
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
    const { over } = this.#members.addRun(this.#options, runId, cell, signal);
    await this.#until(over, signal);
  }

  /**
   * Follows the owner's feed, in place of one that is followed.
   * @param cell says what is wanted, and gets the runs
   * @returns resolves when the feed has failed, or the signal has aborted. Never rejects: the cell shows a failure
   */
  async followFeed(cell: FeedCell, signal: AbortSignal): Promise<void> {
    const member = new FeedMember(cell, signal);
    this.#members.addFeed(member, signal);
    cell.onWants = () => this.#sync();
    await this.#until(member.over, signal);
  }

  async #until(over: Promise<void>, signal: AbortSignal): Promise<void> {
    clearTimeout(this.#lingering);
    signal.addEventListener("abort", () => {
      this.#sync();
      if (this.#members.isEmpty) this.#close();
    });
    this.#sync();
    await over;
    this.#sync();
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    clearTimeout(this.#lingering);
    if (this.#isClosed || !this.#members.isOver) return;
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

  /** What this tab wants, of which another tab could read the part that is not apart. */
  #wanted(isApart: boolean): Wanted {
    return this.#isAway ? NOTHING : this.#members.wanted(isApart, this.#role === "alone");
  }

  /** Passes on what this tab wants after each change of it. */
  #sync(): void {
    if (this.#isClosed) return;
    const own = this.#wanted(true);
    if (wantsAny(own)) (this.#ownHub ??= this.#createHub(true)).wantOwn(own);
    else {
      this.#ownHub?.close();
      this.#ownHub = null;
    }
    if (this.#role === "leading") this.#hub?.wantOwn(this.#wanted(false));
    else if (this.#role === "waiting" && this.#isAway) this.#ask();
    else if (this.#role === "waiting") {
      this.#isAskDue = true;
      this.#after(0, () => this.#ask());
    }
  }

  #createHub(isApart: boolean): RunHub {
    return new RunHub(this.#options, isApart || !this.#hasOthers, {
      toOwn: (message) => this.#accept(message, isApart),
      toOthers: (message) => {
        if (!isApart) this.#channel?.postMessage(message);
      },
      cellOf: (runId) => this.#members.cellOf(runId, isApart, this.#role === "alone"),
      feedList: this.#members.feed?.cell.list,
    });
  }

  #after(ms: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }

  /** Sends the leading tab what this tab wants. If there is something, the leading tab has to answer. */
  #ask(): void {
    const wanted = this.#wanted(false);
    this.#asked += 1;
    [this.#isAskDue, this.#isAsking] = [false, true];
    const want: Message = { type: "want", tab: this.#id, ask: this.#asked, ...wanted };
    this.#channel?.postMessage(want);
    // All tabs got the last message at the same time, so a random delay lets one of them take over.
    if (wantsAny(wanted)) this.#after(ANSWER_MS * (1 + Math.random()), () => this.#lock?.steal());
  }

  #receive(message: unknown): void {
    if (!isMessage(message)) return;
    this.#hasOthers = true;
    if (message.type === "want") {
      if (this.#role === "leading") this.#hub?.want(message);
    } else if (this.#role !== "waiting" || this.#isAway) return;
    else if (message.type === "who") this.#ask();
    else if (message.type === "apart") {
      this.#members.readApart(message.runId);
      this.#sync();
    } else {
      if (message.silentMs < STALE_MS) this.#hearLeader(message);
      if (message.type !== "answer") this.#accept(message, false);
    }
  }

  /** A live tab leads. */
  #hearLeader(message: Answer | RunMessage | FeedMessage): void {
    if (message.type === "answer" && message.tab === this.#id && message.ask === this.#asked)
      this.#isAsking = false;
    if (!this.#isAskDue) this.#after(this.#isAsking ? ANSWER_MS : ASK_MS, () => this.#ask());
  }

  #accept(message: RunMessage | FeedMessage, isApart: boolean): void {
    const next = this.#members.accept(message, isApart, this.#role === "alone");
    if (next === "apart") this.#sync();
    else if (next === "ask" && this.#role === "waiting" && !this.#isAsking) this.#ask();
  }

  /** Gives up what this tab reads, and the lead. */
  #goAway(): void {
    this.#isAway = true;
    this.#members.pause();
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

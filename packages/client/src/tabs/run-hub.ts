import type { RunEvent, RunEventsError } from "@tm/run-events-core";
import type { FeedRuns } from "../feed/fold-changes.ts";
import type { ConnectionState } from "../follow/connection-state.ts";
import { RunsReaders } from "../follow/runs-readers.ts";
import type { ServerOptions } from "../http/server.ts";
import { toError } from "../http/server-errors.ts";
import { FeedRelay } from "./feed-relay.ts";
import type { RunCell } from "./run-cell.ts";
import { type RunRelay, sentPlace } from "./run-relay.ts";
import {
  encodeError,
  type FeedMessage,
  type Message,
  type Place,
  type RunMessage,
  splitRunMessage,
  type Want,
  type Wanted,
  wantsAny,
} from "./tab-messages.ts";

/** A tab that has not answered for this long, in milliseconds, has crashed or is frozen. Its runs are left. */
const CHECK_MS = 30_000;

/** Where a hub sends what it reads. */
export interface HubPorts {
  /** To the tab of the hub itself. */
  readonly toOwn: (message: RunMessage | FeedMessage) => void;
  /** To all other tabs. Throws if the message cannot be copied. */
  readonly toOthers: (message: Message) => void;
  /** What the hub's own tab has of a run. Other tabs get earlier events from it. */
  readonly cellOf: (runId: string) => RunCell | undefined;
  /** What the hub's own tab has of the feed. */
  readonly feedList: FeedRuns | undefined;
}

interface WantedByTab extends Wanted {
  isHeard: boolean;
}

/** The name of the hub's own tab. */
const OWN = "";

/**
 * Follows what tabs want, over one connection, and sends them what is new. It belongs to the tab that leads. A run is followed as long
 * as a tab wants it, from the earliest event that any tab lacked at the beginning. It keeps no events: a tab that comes later gets them
 * from the own tab's cell, or reads them itself.
 */
export class RunHub {
  readonly #ports: HubPorts;
  readonly #readers: RunsReaders;
  readonly #tabs = new Map<string, WantedByTab>();
  readonly #relays = new Map<string, RunRelay>();
  readonly #feed: FeedRelay;
  // Not a timer: a hidden page's timers are late, and the other tabs may be visible.
  readonly #soon = new MessageChannel();
  #isSendDue = false;
  #activeAt = performance.now();
  #timer: ReturnType<typeof setTimeout>;

  /** @param isFirst whether no other tab is known: then nothing else is waited for */
  constructor(options: ServerOptions, isFirst: boolean, ports: HubPorts) {
    this.#ports = ports;
    const onActivity = (): void => void (this.#activeAt = performance.now());
    this.#readers = new RunsReaders({ ...options, isHasty: isFirst, onActivity });
    this.#feed = new FeedRelay(this.#readers, ports.feedList, {
      ...ports,
      onApart: () => ports.toOthers({ type: "apart", runId: null }),
      sendSoon: () => this.#sendAtOnce(),
      onFailed: () => this.#forgetFeed(),
      silentMs: () => this.silentMs,
    });
    this.#soon.port1.onmessage = () => this.#sendDue();
    this.#timer = setTimeout(() => this.#check(), CHECK_MS);
  }

  /** How long the server has been silent, in milliseconds. If nothing is followed there is nothing to hear. */
  get silentMs(): number {
    return this.#relays.size === 0 && !this.#feed.isOn ? 0 : performance.now() - this.#activeAt;
  }

  /** The own tab wants these, and nothing else. */
  wantOwn(wanted: Wanted): void {
    this.#want(OWN, wanted);
  }

  /** Another tab wants something else. */
  want({ tab, ask, runs, feed }: Want): void {
    this.#want(tab, { runs, feed });
    this.#ports.toOthers({ type: "answer", tab, ask, silentMs: this.silentMs });
  }

  /** Sends what is due, and closes the connection. */
  close(): void {
    this.#sendDue();
    clearTimeout(this.#timer);
    this.#feed.close();
    this.#readers.close();
    this.#soon.port1.close();
  }

  #want(tab: string, { runs, feed }: Wanted): void {
    const before = this.#tabs.get(tab);
    if (wantsAny({ runs, feed })) this.#tabs.set(tab, { runs, feed, isHeard: true });
    else this.#tabs.delete(tab);
    for (const [runId, place] of runs) {
      const relay = this.#relays.get(runId);
      if (relay === undefined) this.#follow(runId, place);
      else if (place.since < relay.connection.cursor || before?.runs.has(runId) !== true)
        this.#catchUp(relay, place, tab === OWN);
    }
    this.#leaveUnwanted();
    if (feed !== null) this.#feed.catchUp(feed, before?.feed == null, tab === OWN);
  }

  #follow(runId: string, place: Place): void {
    const connecting = { state: "connecting", runStatus: null, currentPhase: null } as const;
    const { since, at } = place;
    const failed = (error: RunEventsError): ConnectionState => ({
      ...connecting,
      state: "failed",
      cursor: since,
      error,
    });
    let stop = (): void => {};
    const relay: RunRelay = {
      runId,
      stop: () => stop(),
      connection: { ...connecting, cursor: since, error: null },
      at,
      unsent: [],
      sentAt: at,
      isDue: false,
      isApart: false,
    };
    this.#relays.set(runId, relay);
    try {
      stop = this.#readers.add(runId, place, {
        onEvents: (events) => this.#takeEvents(relay, events),
        onState: (connection) => this.#takeState(relay, connection),
      });
    } catch (cause) {
      this.#takeState(relay, failed(toError(cause)));
    }
  }

  #takeEvents(relay: RunRelay, events: readonly RunEvent[]): void {
    const place = { since: relay.connection.cursor, at: relay.at };
    relay.sentAt = sentPlace(relay).at;
    relay.connection = { ...relay.connection, cursor: place.since + events.length };
    relay.at = events.at(-1)?.createdAt;
    relay.unsent.push(...(this.#isShared(relay) ? events : []));
    this.#ports.toOwn(this.#messageOf(relay, place, events));
    this.#sendSoon(relay);
  }

  #takeState(relay: RunRelay, connection: ConnectionState): void {
    relay.connection = connection;
    this.#ports.toOwn(this.#messageOf(relay, null, []));
    this.#sendSoon(relay);
    if (connection.state !== "failed") return;
    // A tab that comes later asks the server itself: its user may have signed in again.
    this.#send(relay);
    this.#forget(relay);
    for (const [tab, wanted] of this.#tabs) {
      const rest = new Map([...wanted.runs].filter(([runId]) => runId !== relay.runId));
      this.#tabs.set(tab, { ...wanted, runs: rest });
    }
  }

  /** A tab that comes later asks the server itself, as for a run. */
  #forgetFeed(): void {
    for (const [tab, wanted] of this.#tabs) this.#tabs.set(tab, { ...wanted, feed: null });
  }

  /** Sends a tab what it lacks, or shows it how much it has to read itself. */
  #catchUp(relay: RunRelay, { since }: Place, isOwn: boolean): void {
    this.#send(relay);
    const has = this.#startOf(relay) <= since;
    // From the event that the tab has: it compares the times.
    const from = Math.max(since - 1, this.#startOf(relay));
    const cell = has ? this.#ports.cellOf(relay.runId) : undefined;
    const events = cell?.after(from) ?? [];
    const place = events.length > 0 ? { since: from, at: cell?.timeAt(from) } : null;
    const message = this.#messageOf(relay, place, events);
    if (isOwn) this.#ports.toOwn(message);
    else this.#sendAll(relay, message);
  }

  /** The sequence after which this tab can give the events. */
  #startOf({ runId, connection, unsent }: RunRelay): number {
    const cell = this.#ports.cellOf(runId);
    if (cell !== undefined && cell.cursor() >= connection.cursor) return cell.start;
    return connection.cursor - unsent.length;
  }

  /** @param place the event before these; `null` for the one at the cursor */
  #messageOf(relay: RunRelay, place: Place | null, events: readonly RunEvent[]): RunMessage {
    const { error, ...connection } = relay.connection;
    const [start, silentMs] = [this.#startOf(relay), this.silentMs];
    const { runId, at } = relay;
    const { since: from, at: fromAt } = place ?? { since: connection.cursor, at };
    const rest = { connection, at, error: encodeError(error), silentMs };
    return { type: "run", runId, events, from, fromAt, start, ...rest };
  }

  #isShared({ runId, isApart }: RunRelay): boolean {
    if (isApart) return false;
    for (const [tab, { runs }] of this.#tabs) if (tab !== OWN && runs.has(runId)) return true;
    return false;
  }

  /** Sends events that arrive together in one message. */
  #sendSoon(relay: RunRelay): void {
    if (!this.#isShared(relay)) return;
    relay.isDue = true;
    this.#sendAtOnce();
  }

  #sendAtOnce(): void {
    if (!this.#isSendDue) this.#soon.port2.postMessage(null);
    this.#isSendDue = true;
  }

  #sendDue(): void {
    this.#isSendDue = false;
    for (const relay of this.#relays.values()) this.#send(relay);
    this.#feed.send();
  }

  #send(relay: RunRelay): void {
    if (!relay.isDue) return;
    relay.isDue = false;
    const message = this.#messageOf(relay, sentPlace(relay), relay.unsent);
    relay.unsent = [];
    this.#sendAll(relay, message);
  }

  #sendAll(relay: RunRelay, whole: RunMessage): void {
    const { toOthers } = this.#ports;
    try {
      if (!relay.isApart) for (const message of splitRunMessage(whole)) toOthers(message);
    } catch {
      // An event is too deep to be copied.
      relay.isApart = true;
    }
    if (relay.isApart) toOthers({ type: "apart", runId: relay.runId });
  }

  /** A run that the own tab still shows is kept after its end: a tab that comes later gets it from there. */
  #leaveUnwanted(): void {
    const wanted = new Set([...this.#tabs.values()].flatMap(({ runs }) => [...runs.keys()]));
    for (const relay of this.#relays.values()) {
      const isKept =
        relay.connection.state === "finished" && this.#ports.cellOf(relay.runId) !== undefined;
      if (!wanted.has(relay.runId) && !isKept) this.#forget(relay);
    }
    const feeds = [...this.#tabs].filter(([, { feed }]) => feed !== null);
    this.#feed.plan(
      feeds.flatMap(([, { feed }]) => feed ?? []),
      feeds.some(([tab]) => tab !== OWN),
    );
  }

  #forget(relay: RunRelay): void {
    // The failure of a run may have made its own tab leave it already.
    if (this.#relays.get(relay.runId) !== relay) return;
    this.#relays.delete(relay.runId);
    relay.stop();
  }

  /** Leaves the runs of tabs that have not answered the last question, and asks again. */
  #check(): void {
    this.#timer = setTimeout(() => this.#check(), CHECK_MS);
    for (const [tab, wanted] of this.#tabs) {
      if (!wanted.isHeard && tab !== OWN) this.#tabs.delete(tab);
      wanted.isHeard = false;
    }
    this.#leaveUnwanted();
    this.#ports.toOthers({ type: "who" });
  }
}

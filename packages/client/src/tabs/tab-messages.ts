import type { RunEvent, RunEventsError } from "@tm/run-events-core";
import type { FeedWant } from "../feed/feed-want.ts";
import type { FeedChanges } from "../feed/fold-changes.ts";
import type { FeedConnection } from "../feed/followed-feed.ts";
import type { ConnectionState } from "../follow/connection-state.ts";

/** The version of the messages. Tabs with another version share another connection. */
export const MESSAGE_VERSION = 8;

/**
 * Messages between the tabs of an origin. `who` comes from the tab with the connection: each other tab answers with a `want`. `apart`
 * too: this run does not fit into messages, or with `null` the feed does not. So each tab has its own connection for it.
 */
export type Message =
  | { readonly type: "who" }
  | Want
  | Answer
  | RunMessage
  | FeedMessage
  | { readonly type: "apart"; readonly runId: string | null };

/** What a tab shows: all of it, in place of what it wanted before. */
export interface Want {
  readonly type: "want";
  readonly tab: string;
  /** Counts the messages of this tab, so that it knows what an answer is about. */
  readonly ask: number;
  /** Where the tab is, by run. */
  readonly runs: ReadonlyMap<string, Place>;
  /** What it wants of the owner's feed; `null` for nothing. */
  readonly feed: WantedFeed | null;
}

/** What a tab wants, without the feed's part if it shows no list of runs. */
export type Wanted = Pick<Want, "runs" | "feed">;

/** Whether a tab wants something. */
export function wantsAny({ runs, feed }: Wanted): boolean {
  return runs.size > 0 || feed !== null;
}

/** What a tab wants of the feed, and where it is. */
export interface WantedFeed {
  /** What each list of the tab wants, at least one. */
  readonly wants: readonly FeedWant[];
  readonly place: FeedPlace;
}

/** Which changes of the feed a tab has: a number counts those of one hub. */
export interface FeedPlace {
  readonly hub: string;
  readonly number: number;
}

/** The last event that a reader has: its sequence, and its time if it is known. */
export interface Place {
  readonly since: number;
  readonly at: string | undefined;
}

/** All that the tab with the connection has for a `want` has been sent. */
export interface Answer {
  readonly type: "answer";
  readonly tab: string;
  readonly ask: number;
  readonly silentMs: number;
}

/** What is new of a run. */
export interface RunMessage {
  readonly type: "run";
  readonly runId: string;
  /** The events after `from`. Further messages follow if they do not all fit into one. */
  readonly events: readonly RunEvent[];
  readonly from: number;
  /** The time of the event `from`, if it is known. */
  readonly fromAt: string | undefined;
  /** The tab with the connection has the events after this sequence. The other tabs read earlier ones themselves. */
  readonly start: number;
  readonly connection: Omit<ConnectionState, "error">;
  /** The time of the event at the connection's cursor, if it is known. */
  readonly at: string | undefined;
  /** The connection's error as plain data: a copy of the error itself would lose its class and code. */
  readonly error: Pick<RunEventsError, "code" | "message" | "details" | "retryable"> | null;
  /** How long the server has been silent, in milliseconds, by that tab's monotonic clock. */
  readonly silentMs: number;
}

/** What is new of the feed: its changes, or only its connection. */
export interface FeedMessage {
  readonly type: "feed";
  /** What the connection asks the server for. */
  readonly feed: FeedWant;
  /** Where a tab is that has these changes. */
  readonly place: FeedPlace;
  /** They are all changes of the hub after this number. */
  readonly from: number;
  /** Whether all runs come again, for a tab that lacks some. */
  readonly isWhole: boolean;
  /** Whether the next message has more of them. */
  readonly hasRest: boolean;
  readonly changes: FeedChanges | null;
  readonly connection: FeedConnection["state"];
  readonly error: RunMessage["error"];
  readonly silentMs: number;
}

/** The time of an event with this sequence, if the message has it. */
export function timeIn(
  { events, from, fromAt, connection, at }: RunMessage,
  sequence: number,
): string | undefined {
  if (sequence === connection.cursor) return at;
  return sequence === from ? fromAt : events[sequence - from - 1]?.createdAt;
}

/** A message ends after this many events, or after the event that reaches this many characters of JSON. */
const MESSAGE_EVENTS = 1_000;
const MESSAGE_LENGTH = 262_144;

/**
 * Splits a message of any size into messages of bounded size, at least one.
 * @throws RangeError if an event is too deep for the host's JSON
 */
export function* splitRunMessage(whole: RunMessage): Generator<RunMessage, void, undefined> {
  const { events, from, fromAt } = whole;
  let sent = 0;
  do {
    let to = sent;
    for (let length = 0; length < MESSAGE_LENGTH && to < sent + MESSAGE_EVENTS; to += 1) {
      if (to >= events.length) break;
      length += JSON.stringify(events[to]).length;
    }
    const beforeAt = sent === 0 ? fromAt : events[sent - 1]?.createdAt;
    yield { ...whole, events: events.slice(sent, to), from: from + sent, fromAt: beforeAt };
    sent = to;
  } while (sent < events.length);
}

/** An error as plain data. */
export function encodeError(error: RunEventsError | null): RunMessage["error"] {
  if (error === null) return null;
  const { code, message, details, retryable } = error;
  return { code, message, details, retryable };
}

import type { RunEvent, RunEventsError } from "@tm/run-events-core";
import type { RunCell } from "./run-cell.ts";
import type { ConnectionState } from "../follow/connection-state.ts";

/** The version of the messages. Tabs with another version share another connection. */
export const MESSAGE_VERSION = 5;

/**
 * Messages between tabs. `ask`: a waiting tab asks for the events after its cursor. `apart`: this run does not fit into messages,
 * so each tab has its own connection.
 */
export type Message = { readonly ask: number } | { readonly apart: true } | RunMessage;

/** A message of the tab with the connection. */
export interface RunMessage {
  /** The events after `from`. Further messages follow if they do not all fit into one. */
  readonly events: readonly RunEvent[];
  readonly from: number;
  /** The tab with the connection has the events after this sequence. The other tabs read earlier ones themselves. */
  readonly start: number;
  readonly connection: Omit<ConnectionState, "error">;
  /** The connection's error as plain data: a copy of the error itself would lose its class and code. */
  readonly error: Pick<RunEventsError, "code" | "message" | "details" | "retryable"> | null;
  /** How long the server has been silent, in milliseconds, by that tab's monotonic clock. */
  readonly silentMs: number;
}

/** A message ends after this many events, or after the event that reaches this many characters of JSON. */
const MESSAGE_EVENTS = 1_000;
const MESSAGE_LENGTH = 262_144;

/**
 * Encodes a run's events as messages of bounded size, at least one.
 * @param since the events after it are encoded, as far as the cell has them
 * @throws RangeError if an event is too deep for the host's JSON
 */
export function* encodeRunMessages(
  { start, after, connection: connectionOf }: RunCell,
  since: number,
  silentMs: number,
): Generator<RunMessage, void, undefined> {
  const { error, ...connection } = connectionOf();
  const first = Math.max(since, start);
  const events = after(first);
  let sent = 0;
  do {
    let to = sent;
    for (let length = 0; length < MESSAGE_LENGTH && to < sent + MESSAGE_EVENTS; to += 1) {
      if (to >= events.length) break;
      length += JSON.stringify(events[to]).length;
    }
    yield {
      events: events.slice(sent, to),
      from: first + sent,
      start,
      connection,
      error: error && {
        code: error.code,
        message: error.message,
        details: error.details,
        retryable: error.retryable,
      },
      silentMs,
    };
    sent = to;
  } while (sent < events.length);
}

import type { RunEvent, RunEventsError } from "@tm/run-events-core";
import type { RunCell } from "./run-cell.ts";
import type { ConnectionState } from "../follow/connection-state.ts";

/** Version of the messages. Tabs with another version have their own connection. */
export const MESSAGE_VERSION = 4;

/**
 * Messages between tabs. `ask`: a waiting tab asks for the events after its cursor. `apart`: this run does not fit into messages,
 * so each tab has its own connection.
 */
export type Message = { readonly ask: number } | { readonly apart: true } | RunMessage;

/** What the tab with the connection sends. */
export interface RunMessage {
  /** Those behind `from`, up to the standing's cursor unless they would be too many for one message. */
  readonly events: readonly RunEvent[];
  readonly from: number;
  readonly connection: Omit<ConnectionState, "error">;
  /** The standing's, whose class and code would be lost. */
  readonly error: Pick<RunEventsError, "code" | "message" | "details" | "retryable"> | null;
  /** How long ago that tab last got something from the server, in milliseconds, by its own monotonic clock. */
  readonly silentMs: number;
}

/** How many events one message holds at most, and where it ends, in characters of JSON. */
const MESSAGE_EVENTS = 1_000;
const MESSAGE_LENGTH = 262_144;

/**
 * A run's events as messages of bounded size, at least one.
 * @param since tells the events behind it
 * @throws RangeError if an event is too deep for the host's JSON
 */
export function* encodeRunMessages(
  { events, connection: connectionOf }: Pick<RunCell, "events" | "connection">,
  since: number,
  silentMs: number,
): Generator<RunMessage, void, undefined> {
  const { error, ...connection } = connectionOf();
  let from = since;
  do {
    let to = from;
    for (let length = 0; length < MESSAGE_LENGTH && to < from + MESSAGE_EVENTS; to += 1) {
      if (to >= events.length) break;
      length += JSON.stringify(events[to]).length;
    }
    yield {
      events: events.slice(from, to),
      from,
      connection,
      error: error && {
        code: error.code,
        message: error.message,
        details: error.details,
        retryable: error.retryable,
      },
      silentMs,
    };
    from = to;
  } while (from < events.length);
}

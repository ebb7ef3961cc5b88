import type { FollowOptions } from "./follow-options.ts";
import type { RunEvent } from "@tm/run-events-core";
import { invalidCursor } from "@tm/run-events-core/wire";
import type { Reading } from "./attempt.ts";
import type { EventMap, TypedEvent } from "../typed/event-map.ts";
import { checkPayload, hasSchema } from "../typed/payload-schema.ts";
import { toError } from "../http/server-errors.ts";
import { readOn } from "./read-on.ts";
import type { ConnectionState } from "./connection-state.ts";

/** A run that is followed: an async iterable of its events, and the state of the connection. */
export interface RunFollower<M extends EventMap = EventMap>
  extends ConnectionState, AsyncIterable<TypedEvent<M>> {}

/**
 * Follows a run to its end. The loop gets every event after `since` once, in order, however often the connection is lost. It ends
 * after the run's last event.
 *
 * One connection at most is open, from the first step of the loop until the loop is left. A slow loop gets what has already arrived,
 * and nothing more is read ahead.
 *
 * With a session the follower reads the live stream. With a bearer token it polls, and the server holds each poll. Where a stream does
 * not get through, it polls too, and tries the stream again after five minutes.
 * @throws RunEventsError `not_found`, `unauthenticated`, `cursor_ahead`, `invalid_cursor`, and any other error that waiting cannot cure
 * @throws RunEventsError `history_changed` if the log has lost events that the loop has had: read again from 0
 * @throws the signal's reason
 * @throws TypeError if the follower is iterated twice, or if `runId`, `baseUrl` or `basePath` is invalid
 * @see clauses W15 to W17 and W19 to W26 and W46 in `WIRE.md` of `@tm/run-events-http`
 *
 * @example
 * for await (const event of followRun({ runId })) console.log(event.sequence, event.eventType);
 */
export function followRun<M extends EventMap = EventMap>(
  options: FollowOptions<M>,
): RunFollower<M> {
  const { since = 0, onConnectionState, schemas = {}, signal } = options;
  const connection: { -readonly [Key in keyof ConnectionState]: ConnectionState[Key] } = {
    state: "connecting",
    runStatus: null,
    currentPhase: null,
    cursor: since,
    error: null,
  };
  /** The time of the event at the cursor. @see clause W46 in `WIRE.md` */
  let { at } = options;
  let isTaken = false;

  function update(change: Partial<ConnectionState>): void {
    let key: keyof ConnectionState;
    let isChanged = false;
    for (key in change) isChanged ||= change[key] !== connection[key];
    if (!isChanged) return;
    Object.assign(connection, change);
    onConnectionState?.({ ...connection });
  }

  // The payload types are the caller's promise, or the schemas'.
  async function* follow(): AsyncGenerator<RunEvent, void, undefined> {
    if (isTaken)
      throw new TypeError(
        "Expected one loop over this follower, got a second. Call followRun again.",
      );
    isTaken = true;
    let reading: Reading | undefined;
    try {
      if (!Number.isSafeInteger(since) || since < 0) throw invalidCursor(since);
      const place = { cursor: () => connection.cursor, at: () => at };
      reading = readOn(options, place, update);
      let batch = await reading.next();
      for (; typeof batch === "object"; batch = await reading.next()) {
        for (const event of batch) {
          signal?.throwIfAborted();
          const checked = hasSchema(schemas, event.eventType)
            ? await checkPayload(schemas, event)
            : event;
          at = event.createdAt;
          update({ cursor: event.sequence, error: null });
          yield checked;
        }
        // While this waits for the next events it must not keep these alive.
        batch.length = 0;
      }
      update({ state: "finished" });
    } catch (cause) {
      if (signal?.aborted !== true) update({ state: "failed", error: toError(cause) });
      throw cause;
    } finally {
      // Leaving the loop closes the connection.
      reading?.end();
    }
  }

  // Not enumerable, so that `{ ...follower }` copies the state alone.
  return Object.defineProperty(connection, Symbol.asyncIterator, {
    value: follow,
  }) as RunFollower<M>;
}

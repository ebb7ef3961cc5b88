import type { FollowOptions } from "./follow-options.ts";
import type { RunEvent } from "@tm/run-events-core";
import type { EventMap, TypedEvent } from "../typed/event-map.ts";
import { checkPayload, hasSchema } from "../typed/payload-schema.ts";
import { toError } from "../http/server-errors.ts";
import type { ConnectionState } from "./connection-state.ts";
import { RunsReader } from "./follow-runs.ts";
import { CONNECTING } from "./followed-run.ts";
import { Waker } from "./waker.ts";

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
    ...CONNECTING,
    cursor: since,
  };
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
    signal?.throwIfAborted();
    const waker = new Waker(signal);
    let reader: RunsReader | undefined;
    /** The events that the loop has not taken yet. While this waits for the next events, it must not keep these alive. */
    let batch: readonly RunEvent[] = [];
    /** Lets the reader go on. */
    let readOn = (): void => {};
    let failure: unknown;
    try {
      reader = new RunsReader(options);
      reader.add(options.runId, options, {
        onEvents(events) {
          batch = events;
          waker.wake();
          return new Promise<void>((resolve) => (readOn = resolve));
        },
        onState({ cursor, ...change }, cause) {
          failure ??= cause;
          try {
            update(batch.length === 0 ? { ...change, cursor } : change);
          } catch (thrown) {
            // By the caller's function.
            failure ??= thrown;
          }
          waker.wake();
        },
      });
      while (connection.state !== "finished") {
        for (const event of batch) {
          const checked = hasSchema(schemas, event.eventType)
            ? await checkPayload(schemas, event)
            : event;
          update({ cursor: event.sequence, error: null });
          yield checked;
          signal?.throwIfAborted();
        }
        if (failure !== undefined) throw failure;
        batch = [];
        readOn();
        await waker.wait();
      }
    } catch (cause) {
      const isShown = signal?.aborted === true || connection.state === "failed";
      if (!isShown) update({ state: "failed", error: toError(cause) });
      throw cause;
    } finally {
      // Leaving the loop closes the connection.
      waker.stop();
      reader?.close();
      readOn();
    }
  }

  // Not enumerable, so that `{ ...follower }` copies the state alone.
  return Object.defineProperty(connection, Symbol.asyncIterator, {
    value: follow,
  }) as RunFollower<M>;
}

import { RunEventsError } from "../rules/errors.ts";
import { isTerminal, type SealedDraft, statusAfter } from "../rules/lifecycle.ts";
import { eventBytes } from "../rules/page.ts";

/** The most that one append of emitted events holds, in UTF-16 units: in UTF-8 that stays under the wire's 4 MiB. @see W9 */
const BATCH_BYTES = 1_048_576;
/** How much may wait before `emit` has to wait for room, by default. */
const ROOM_BYTES = 1_048_576;
/** How much may wait in all, before an event is refused: memory is not a queue. */
const QUEUE_BYTES = 67_108_864;

/** What a worker has to send, in the order of its calls, one request at a time. */
export interface EmitQueue {
  /**
   * Takes an event, to be sent together with its neighbours.
   * @returns a promise that resolves when there is room for more
   * @throws why the queue has failed; `store_unavailable` if too much waits, which also fails the queue
   */
  emit(event: SealedDraft): Promise<void>;
  /**
   * Makes a request when all earlier ones are over.
   * @param isAnyway whether to make it even if the queue has failed
   * @throws why the queue has failed
   */
  ask<T>(request: () => Promise<T>, isAnyway?: boolean): Promise<T>;
  /** Takes the reason why an event cannot be sent. The queue fails with it when all earlier requests are over. */
  refuse(error: unknown): void;
  /** Why the queue has failed. Then only `isAnyway` requests are sent: any other event would follow a gap. */
  failure(): { readonly error: unknown } | null;
}

/** Emitted events of one append. More join until it is sent. */
interface Batch {
  readonly events: SealedDraft[];
  bytes: number;
  /** Resolves when all before it is over. */
  readonly before: Promise<unknown>;
}

/**
 * The one queue of all writers: a worker with a store or over HTTP, a writer, a recorder. It fails for good at the first emitted
 * event that could not be sent. A failed request of `ask` does not fail the queue.
 * @param send appends emitted events
 * @param maxEvents the most events of one append
 * @param onFailure called once, with why it failed
 * @param roomBytes how much may wait before `emit` has to wait for room. Default 1 MiB
 */
export function createEmitQueue(
  send: (events: readonly SealedDraft[]) => Promise<unknown>,
  maxEvents: number,
  onFailure: (error: unknown) => void,
  roomBytes: number = ROOM_BYTES,
): EmitQueue {
  let failure: { readonly error: unknown } | null = null;
  /** Why it is about to fail. */
  let refusal: { readonly error: unknown } | null = null;
  /** All requests so far. Never rejects. */
  let last: Promise<unknown> = Promise.resolve();
  /** The newest request, if it is one that emitted events can join. */
  let batch: Batch | null = null;
  let waitingBytes = 0;

  function check(): void {
    if (failure !== null) throw failure.error;
  }

  function fail(error: unknown): void {
    if (failure !== null) return;
    failure = { error };
    onFailure(error);
  }

  function ask<T>(request: () => Promise<T>, isAnyway = false): Promise<T> {
    batch = null;
    const asked = last.then(() => {
      if (!isAnyway) check();
      return request();
    });
    last = asked.catch(() => {});
    return asked;
  }

  function refuse(error: unknown): void {
    if (refusal !== null) return;
    refusal = { error };
    void ask(async () => fail(error), true);
  }

  function openBatch(): Batch {
    const opened: Batch = { events: [], bytes: 0, before: last };
    const sent = ask(async () => {
      if (batch === opened) batch = null;
      // The next request finds the failure.
      await send(opened.events).catch(fail);
      waitingBytes -= opened.bytes;
    });
    sent.catch(() => {});
    batch = opened;
    return opened;
  }

  return {
    emit(event) {
      check();
      const bytes = eventBytes(event.payload.text.length);
      if (waitingBytes + bytes > QUEUE_BYTES) {
        refuse(
          new RunEventsError("store_unavailable", "Too many events are waiting for the store."),
        );
      }
      if (refusal !== null) throw refusal.error;
      const hasRoom =
        batch !== null && batch.events.length < maxEvents && batch.bytes + bytes <= BATCH_BYTES;
      const joined = batch !== null && hasRoom ? batch : openBatch();
      joined.events.push(event);
      joined.bytes += bytes;
      waitingBytes += bytes;
      // Nothing may follow it in the same append.
      if (isTerminal(statusAfter(event.eventType))) batch = null;
      return waitingBytes > roomBytes ? joined.before.then(check) : Promise.resolve();
    },
    ask,
    refuse,
    failure: () => failure,
  };
}

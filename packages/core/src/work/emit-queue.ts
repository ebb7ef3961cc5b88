import { RunEventsError } from "../rules/errors.ts";
import { changeBy, isTerminal, type SealedDraft } from "../rules/lifecycle.ts";
import { eventBytes } from "../rules/page.ts";
import type { Clock } from "../time/clock.ts";
import { joins, type Merges } from "./merge-events.ts";
import { sendInParts } from "./send-parts.ts";

/**
 * The most that one append of emitted events holds, in UTF-16 units: in UTF-8 that stays under the wire's 4 MiB.
 * @see clause W9 in `WIRE.md`
 */
const BATCH_BYTES = 1_048_576;
/** The default of the text that may wait before `emit` has to wait for room. */
const ROOM_BYTES = 1_048_576;
/** The most UTF-16 units that may wait in all before an event is refused: memory is not a queue. */
const QUEUE_BYTES = 67_108_864;

/** The requests of a writer, in the order of its calls. One is sent at a time. */
export interface EmitQueue {
  /**
   * Takes an event, and sends it together with its neighbours.
   * @returns a promise that resolves when there is room for more
   * @throws why the queue has failed; `store_unavailable` if too much waits, which also fails the queue
   */
  emit(event: SealedDraft): Promise<void>;
  /**
   * Makes a request when all earlier ones are over.
   * @param evenIfFailed whether to make it after the queue has failed, too
   * @throws why the queue has failed
   */
  ask<T>(request: () => Promise<T>, evenIfFailed?: boolean): Promise<T>;
  /** Fails the queue with this error when all earlier requests are over, since an event cannot be sent. */
  refuse(error: unknown): void;
  /** Why the queue has failed. Then only `evenIfFailed` requests are sent: other events would follow a gap. */
  failure(): { readonly error: unknown } | null;
}

/** The gathering and the bounds of a queue. */
export interface QueueOptions {
  /** The most events of one append. Events that will be merged count as one. */
  readonly maxEvents: number;
  /**
   * The time that the first event of an append waits for others, in milliseconds: 0 for not at all. A request that follows ends the wait, and so
   * does a full queue.
   */
  readonly gatherMs: number;
  readonly clock: Clock;
  /**
   * The most UTF-16 units that may wait before `emit` has to wait for room.
   * @defaultValue 1 MiB
   */
  readonly roomBytes?: number | undefined;
  /** The types whose neighbouring events are merged. */
  readonly merges?: Merges | undefined;
}

/** Emitted events of one append. More join until it is sent. */
interface Batch {
  readonly events: SealedDraft[];
  /** The number of events that they will be once they are merged. */
  count: number;
  bytes: number;
  /** Resolves when all earlier requests are over. */
  readonly before: Promise<unknown>;
  /** Waits no longer for others. */
  readonly gathered: () => void;
}

/**
 * Makes the one queue of all writers: a worker with a store or over HTTP, a writer, a recorder. It fails for good at the first emitted
 * event that could not be sent. A failed request of `ask` does not fail the queue.
 *
 * | a batch   | until                                                                | then |
 * | --------- | -------------------------------------------------------------------- | ---- |
 * | gathers   | `gatherMs` have passed, or a request or another batch follows | waits |
 * | waits     | all earlier requests are over                                        | sent |
 *
 * @param send appends emitted events
 * @param onFailure called once, with why it failed
 */
export function createEmitQueue(
  send: (events: readonly SealedDraft[]) => Promise<unknown>,
  onFailure: (error: unknown) => void,
  options: QueueOptions,
): EmitQueue {
  const { maxEvents, gatherMs, clock, roomBytes = ROOM_BYTES, merges = {} } = options;
  let failure: { readonly error: unknown } | null = null;
  /** Why it is about to fail. */
  let refusal: { readonly error: unknown } | null = null;
  /** All requests so far. Never rejects. */
  let last: Promise<unknown> = Promise.resolve();
  /** The newest request, if it is one that emitted events can join. */
  let batch: Batch | null = null;
  let waitingBytes = 0;

  const check = (): void => {
    if (failure !== null) throw failure.error;
  };

  function fail(error: unknown): void {
    if (failure !== null) return;
    failure = { error };
    onFailure(error);
  }

  function ask<T>(request: () => Promise<T>, evenIfFailed = false): Promise<T> {
    closeBatch();
    const asked = last.then(() => {
      if (!evenIfFailed) check();
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

  function closeBatch(): void {
    batch?.gathered();
    batch = null;
  }

  function openBatch(): Batch {
    const { gathered, promise } = gather(clock, gatherMs);
    const opened: Batch = { events: [], count: 0, bytes: 0, before: last, gathered };
    const sent = ask(async () => {
      await promise;
      if (batch === opened) batch = null;
      // The next request finds the failure.
      await sendInParts(send, opened.events, merges).catch(fail);
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
        refuse(new RunEventsError("store_unavailable", "64 MiB wait. Await each emit."));
      }
      if (refusal !== null) throw refusal.error;
      const fits = (open: Batch): boolean =>
        open.count + growthOf(open, event, merges) <= maxEvents &&
        open.bytes + bytes <= BATCH_BYTES;
      const joined = batch !== null && fits(batch) ? batch : openBatch();
      joined.count += growthOf(joined, event, merges);
      joined.events.push(event);
      joined.bytes += bytes;
      waitingBytes += bytes;
      // A terminal event is the last of its append.
      if (isTerminal(changeBy(event.eventType))) closeBatch();
      if (waitingBytes <= roomBytes) return Promise.resolve();
      return joined.before.then(check);
    },
    ask,
    refuse,
    failure: () => failure,
  };
}

/** By how many events the merged batch grows: 0 if the event will be merged with the last one. */
function growthOf({ events }: Batch, event: SealedDraft, merges: Merges): number {
  return joins(merges, events.at(-1), event) ? 0 : 1;
}

/** Waits for so long, or until `gathered` is called. */
function gather(
  clock: Clock,
  gatherMs: number,
): { readonly promise: Promise<void> | null; readonly gathered: () => void } {
  if (gatherMs === 0) return { promise: null, gathered() {} };
  const { promise, resolve } = Promise.withResolvers<void>();
  const gathered = (): void => {
    stopTimer();
    resolve();
  };
  const stopTimer = clock.every(gatherMs, gathered);
  return { promise, gathered };
}

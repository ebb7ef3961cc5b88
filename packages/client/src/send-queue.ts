import { RunEventsError } from "@tm/run-events-core";

/** How much one request of emitted events holds at most. In UTF-8 a character of JSON text takes three bytes at most. */
const BATCH_EVENTS = 500;
const BATCH_LENGTH = 262_144;
/** How long an emitted event waits for others, in milliseconds. */
const GATHER_MS = 50;
/** How much waits to be sent before those who emit have to wait, in characters of JSON. */
const ROOM_LENGTH = 1_048_576;

/** What is to be sent, in order, one request at a time. */
export interface SendQueue {
  /**
   * Makes a request when all that was given before is over.
   * @param isAnyway even if the queue has failed
   * @throws why the queue has failed
   */
  ask<T>(request: () => Promise<T>, isAnyway?: boolean): Promise<T>;
  /** Takes an event, which is sent together with others. Resolves when there is room for more. @throws why the queue failed */
  emit(event: string): Promise<void>;
  /** Whether nothing is under way. */
  isIdle(): boolean;
}

/** Emitted events that will be one request. More join them until it is made. */
interface Batch {
  /** As JSON. */
  readonly events: string[];
  length: number;
  /** Resolves when all before it is over. */
  readonly before: Promise<unknown>;
  /** Has it sent as soon as that is so. */
  readonly close: () => void;
}

/**
 * A queue that fails for good at the first event that it could not send, since what follows would leave a hole. A request of
 * `ask` that is refused fails alone.
 * @param send sends emitted events, as often as need be
 * @param onFailure told why it failed; may be told again
 */
export function createSendQueue(
  send: (events: readonly string[]) => Promise<unknown>,
  onFailure: (error: unknown) => void,
): SendQueue {
  let failure: unknown;
  /** Of one request, until a server takes fewer. */
  let mostEvents = BATCH_EVENTS;
  /** All requests so far. Never rejects. */
  let last: Promise<unknown> = Promise.resolve();
  let requests = 0;
  /** Of emitted events. */
  let waitingLength = 0;
  /** The newest request, if it is one that emitted events can join. */
  let batch: Batch | undefined;

  function check(): void {
    if (failure !== undefined) throw failure;
  }

  async function ask<T>(request: () => Promise<T>, isAnyway = false): Promise<T> {
    batch?.close();
    batch = undefined;
    requests += 1;
    const asked = last.then(() => {
      if (!isAnyway) check();
      return request();
    });
    const isOver = (): unknown => (requests -= 1);
    last = asked.then(isOver, isOver);
    return asked;
  }

  /** Sends a batch, or halves of it where the server takes less at a time. What is before an event that it never takes lands. */
  async function sendParts(events: readonly string[]): Promise<void> {
    try {
      await send(events);
    } catch (error) {
      if (events.length === 1 || !isTooMuch(error)) throw error;
      const half = Math.floor(events.length / 2);
      mostEvents = Math.min(mostEvents, half);
      await sendParts(events.slice(0, half));
      await sendParts(events.slice(half));
    }
  }

  function openBatch(): Batch {
    const before = last;
    const { promise, resolve: close } = Promise.withResolvers<void>();
    const opened: Batch = { events: [], length: 0, before, close };
    setTimeout(close, GATHER_MS);
    void ask(async () => {
      await promise;
      if (batch === opened) batch = undefined;
      // The next in turn is to find the failure.
      await sendParts(opened.events).catch((error: unknown) => onFailure((failure = error)));
      waitingLength -= opened.length;
    }).catch(() => {});
    return opened;
  }

  return {
    ask,
    async emit(event) {
      const { length } = event;
      if (
        batch === undefined ||
        batch.events.length >= mostEvents ||
        batch.length + length > BATCH_LENGTH
      ) {
        batch = openBatch();
      }
      batch.events.push(event);
      batch.length += length;
      waitingLength += length;
      if (waitingLength > ROOM_LENGTH) await batch.before;
      check();
    },
    isIdle: () => requests === 0,
  };
}

/** Whether a batch was refused that may pass in parts. In doubt, half of it under another key might be there twice. */
function isTooMuch(error: unknown): boolean {
  return (
    error instanceof RunEventsError &&
    /^(invalid_request|payload_too_large)$/.test(error.code) &&
    !error.ambiguous
  );
}

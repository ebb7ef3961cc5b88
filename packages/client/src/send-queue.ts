import { type AppendReceipt, RunEventsError } from "@tm/run-events-core";

/** How much one request of emitted events holds at most. In UTF-8 a character of JSON text takes three bytes at most. */
const BATCH_EVENTS = 500;
const BATCH_LENGTH = 262_144;
/** How long an emitted event waits for others, in milliseconds. */
const GATHER_MS = 50;
/** How much waits to be sent before those who emit have to wait, in characters of JSON. */
const ROOM_LENGTH = 1_048_576;

/** One request to append. */
export interface Sending {
  /** JSON texts of events. */
  readonly events: readonly string[];
  readonly expectedSequence?: number | undefined;
  /** Not before the first is any other sent. */
  readonly idempotencyKey?: string | undefined;
}

interface Waiting extends Sending {
  readonly length: number;
  readonly receipt: PromiseWithResolvers<AppendReceipt> | null;
}

/** What is to be appended, in order, one request at a time. */
export interface SendQueue {
  /** Sends events as one request, behind all that was given before. */
  append(sending: Sending): Promise<AppendReceipt>;
  /** Takes an event, which is sent together with others. Resolves when there is room for more. @throws why the queue failed */
  emit(event: string): Promise<void>;
  /** Resolves when all that was given has been acknowledged. @throws why it was not */
  flush(): Promise<void>;
  /** Whether nothing is under way. */
  isIdle(): boolean;
}

/**
 * A queue that fails for good at the first event that it could not send, since what follows would leave a hole. A request of
 * `append` that is refused fails alone.
 * @param send sends one request, as often as need be
 * @param onFailure told once why it failed
 */
export function createSendQueue(
  send: (sending: Sending) => Promise<AppendReceipt>,
  onFailure: (error: unknown) => void,
): SendQueue {
  const waiting: Waiting[] = [];
  let waitingLength = 0;
  let isSending = false;
  let failure: { readonly error: unknown } | null = null;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let isUrgent = false;
  let listeners: PromiseWithResolvers<void>[] = [];

  /** The next request: emitted events together, up to what was appended. */
  function next(): Waiting | undefined {
    const [first] = waiting;
    if (first === undefined || first.receipt !== null) return waiting.shift();
    const events: string[] = [];
    let length = 0;
    for (let [one] = waiting; one?.receipt === null; [one] = waiting) {
      const isFull = events.length === BATCH_EVENTS || length + one.length > BATCH_LENGTH;
      if (isFull && events.length > 0) break;
      events.push(...one.events);
      length += one.length;
      waiting.shift();
    }
    return { events, length, receipt: null };
  }

  async function sendAll(): Promise<void> {
    clearTimeout(gathering);
    gathering = undefined;
    isSending = true;
    for (let one = next(); one !== undefined && failure === null; one = next()) {
      try {
        const receipt = await send(one);
        one.receipt?.resolve(receipt);
      } catch (error) {
        one.receipt?.reject(error);
        if (one.receipt === null) fail(error);
      }
      waitingLength -= one.length;
      tell();
    }
    isSending = false;
    isUrgent = false;
    tell();
  }

  function fail(error: unknown): void {
    failure = { error };
    for (const { receipt } of waiting.splice(0)) receipt?.reject(error);
    waitingLength = 0;
    onFailure(error);
  }

  function tell(): void {
    const told = listeners;
    listeners = [];
    for (const one of told) one.resolve();
  }

  /** Resolves when it is so. @throws why the queue failed */
  async function until(holds: () => boolean): Promise<void> {
    while (failure === null && !holds()) {
      const told = Promise.withResolvers<void>();
      listeners.push(told);
      await told.promise;
    }
    if (failure !== null) throw failure.error;
  }

  function start(): void {
    if (isSending || waiting.length === 0) return;
    if (isUrgent || waitingLength >= BATCH_LENGTH) void sendAll();
    else gathering ??= setTimeout(() => void sendAll(), GATHER_MS);
  }

  function add(sending: Sending, receipt: Waiting["receipt"]): void {
    if (failure !== null) throw failure.error;
    const length = sending.events.reduce((sum, event) => sum + event.length, 0);
    waiting.push({ ...sending, length, receipt });
    waitingLength += length;
    isUrgent ||= receipt !== null;
    start();
  }

  return {
    async append(sending) {
      const receipt = Promise.withResolvers<AppendReceipt>();
      add(sending, receipt);
      return receipt.promise;
    },
    async emit(event) {
      add({ events: [event] }, null);
      await until(() => waitingLength <= ROOM_LENGTH);
    },
    async flush() {
      isUrgent = true;
      start();
      await until(() => !isSending && waiting.length === 0);
    },
    isIdle: () => !isSending && waiting.length === 0,
  };
}

/** An event as it is sent. @throws RunEventsError `invalid_event` if the payload has no JSON */
export function encodeDraft(eventType: string, payload: unknown): string {
  try {
    return JSON.stringify({ eventType, payload: payload ?? null });
  } catch (cause) {
    throw new RunEventsError("invalid_event", `The payload of ${eventType} is not JSON.`, {
      cause,
    });
  }
}

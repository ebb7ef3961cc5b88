import { type AppendReceipt, RunEventsError, utf8Bytes } from "@tm/run-events-core";

/** How much one request of emitted events holds at most. */
const BATCH_EVENTS = 500;
const BATCH_BYTES = 262_144;
/** How long an emitted event waits for others, in milliseconds. */
const GATHER_MS = 50;
/** How much waits to be sent before those who emit have to wait, in bytes of JSON. */
const ROOM_BYTES = 1_048_576;

/** One request to append. */
export interface Sending {
  /** JSON texts of events. */
  readonly events: readonly string[];
  readonly expectedSequence?: number | undefined;
  /** Not before the first is any other sent. */
  readonly idempotencyKey?: string | undefined;
}

interface Waiting extends Sending {
  readonly bytes: number;
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
  let waitingBytes = 0;
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
    let bytes = 0;
    for (let [one] = waiting; one?.receipt === null; [one] = waiting) {
      const isFull = events.length === BATCH_EVENTS || bytes + one.bytes > BATCH_BYTES;
      if (isFull && events.length > 0) break;
      events.push(...one.events);
      bytes += one.bytes;
      waiting.shift();
    }
    return { events, bytes, receipt: null };
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
      waitingBytes -= one.bytes;
      tell();
    }
    isSending = false;
    isUrgent = false;
    tell();
  }

  function fail(error: unknown): void {
    failure = { error };
    for (const { receipt } of waiting.splice(0)) receipt?.reject(error);
    waitingBytes = 0;
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
    if (isUrgent || waitingBytes >= BATCH_BYTES) void sendAll();
    else gathering ??= setTimeout(() => void sendAll(), GATHER_MS);
  }

  function add(sending: Sending, receipt: Waiting["receipt"]): void {
    if (failure !== null) throw failure.error;
    const bytes = sending.events.reduce((sum, event) => sum + utf8Bytes(event), 0);
    waiting.push({ ...sending, bytes, receipt });
    waitingBytes += bytes;
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
      await until(() => waitingBytes <= ROOM_BYTES);
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

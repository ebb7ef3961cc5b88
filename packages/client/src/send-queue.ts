import type { AppendReceipt } from "@tm/run-events-core";

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
  /** Of what was appended. */
  readonly receipt?: PromiseWithResolvers<AppendReceipt> | undefined;
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
  let failure: unknown;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  /** What is under way. */
  let request: Promise<void> | undefined;

  /** The next request: emitted events together, up to what was appended. */
  function next(): Waiting | undefined {
    const first = waiting.shift();
    if (first === undefined || first.receipt !== undefined) return first;
    const events = [...first.events];
    let { length } = first;
    for (let [one] = waiting; one !== undefined && one.receipt === undefined; [one] = waiting) {
      if (events.length === BATCH_EVENTS || length + one.length > BATCH_LENGTH) break;
      events.push(...one.events);
      length += one.length;
      waiting.shift();
    }
    return { events, length };
  }

  async function sendOne(one: Waiting): Promise<void> {
    const { receipt } = one;
    try {
      const landed = await send(one);
      receipt?.resolve(landed);
    } catch (error) {
      receipt?.reject(error);
      if (receipt === undefined) fail(error);
    }
    waitingLength -= one.length;
  }

  async function sendAll(): Promise<void> {
    for (let one = next(); one !== undefined; one = next()) {
      request = sendOne(one);
      await request;
    }
    request = undefined;
  }

  function fail(error: unknown): void {
    failure = error;
    for (const { receipt } of waiting.splice(0)) receipt?.reject(error);
    onFailure(error);
  }

  /** Resolves when it is so. A request is under way until then. @throws why the queue failed */
  async function until(holds: () => boolean): Promise<void> {
    while (failure === undefined && !holds()) await request;
    if (failure !== undefined) throw failure;
  }

  function isIdle(): boolean {
    return request === undefined && waiting.length === 0;
  }

  function gathered(): void {
    gathering = undefined;
    start(true);
  }

  function start(isUrgent: boolean): void {
    if (request !== undefined) return;
    if (isUrgent || waitingLength >= BATCH_LENGTH) void sendAll();
    else gathering ??= setTimeout(gathered, GATHER_MS);
  }

  function add(sending: Sending, receipt?: Waiting["receipt"]): void {
    if (failure !== undefined) throw failure;
    const { length } = sending.events.join("");
    waiting.push({ ...sending, length, receipt });
    waitingLength += length;
    start(receipt !== undefined);
  }

  return {
    async append(sending) {
      const receipt = Promise.withResolvers<AppendReceipt>();
      add(sending, receipt);
      return receipt.promise;
    },
    async emit(event) {
      add({ events: [event] });
      await until(() => waitingLength <= ROOM_LENGTH);
    },
    async flush() {
      start(true);
      await until(isIdle);
    },
    isIdle,
  };
}

/** An event as it is sent. @throws TypeError if the payload has no JSON */
export function encodeDraft(eventType: string, payload: unknown): string {
  return JSON.stringify({ eventType, payload: payload ?? null });
}

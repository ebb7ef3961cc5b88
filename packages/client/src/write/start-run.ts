import type { AppendReceipt, RunSnapshot } from "@tm/run-events-core";
import {
  createGatheringQueue,
  holdingClock,
  type SealedDraft,
  SealedJson,
} from "@tm/run-events-core/wire";
import { checkRunId } from "../http/check-run-id.ts";
import { appendCall, cancelCall, createCall } from "../http/run-calls.ts";
import { createServer, type ServerOptions } from "../http/server.ts";
import type { EventMap, PayloadOf } from "../typed/event-map.ts";
import { checkPayload, type PayloadSchemas } from "../typed/payload-schema.ts";
import { createRunSender } from "./run-sender.ts";

/** How many emitted events one request holds at most. */
const BATCH_EVENTS = 500;
/** How long an emitted event waits for others, in milliseconds. */
const GATHER_MS = 50;

/** Which run to write, and how. */
export interface StartOptions<M extends EventMap = EventMap> extends ServerOptions {
  /** Default a UUID. A run of yours that is there already is gone on with. @see W8 */
  readonly runId?: string;
  /** Any JSON value; a `JsonText` is sent as its text. */
  readonly metadata?: unknown;
  /** How long a request is tried again while the server does not answer, in milliseconds. Default 300,000. */
  readonly patienceMs?: number;
  /** Payloads are sent as these give them back. */
  readonly schemas?: PayloadSchemas<M>;
  /** Gives up writing. The run goes on, and is not ended. */
  readonly signal?: AbortSignal;
}

/** An event to append, whose type tells its payload. */
export type TypedDraft<M extends EventMap> = {
  readonly [T in keyof M & string]: { readonly eventType: T; readonly payload?: M[T] };
}[keyof M & string];

/** How a batch is appended. @see W10, W11 */
export interface AppendOptions {
  readonly idempotencyKey?: string;
  readonly expectedSequence?: number;
}

/** An event to append. */
interface AnyDraft {
  readonly eventType: string;
  readonly payload?: unknown;
}

/** A run that is written. All that is given to it lands in the order in which it was given. */
export interface RunWriter<M extends EventMap = EventMap> {
  readonly runId: string;
  /**
   * Aborts when somebody else ends the run, with `run_finished` and its status, or when an event could not be sent, with the
   * reason. Looked for from the first time that it is asked for.
   */
  readonly signal: AbortSignal;
  /**
   * Appends a batch whole.
   * @throws RunEventsError as the server refuses it. It has been tried again, with the same key, as long as that could help
   * @see W9-W11
   */
  append(events: readonly TypedDraft<M>[], options?: AppendOptions): Promise<AppendReceipt>;
  /**
   * Takes one event of many, such as a token. They are sent together, 50 ms after the first, up to 500 events or 1 MiB at a time.
   * Resolves when there is room for more: at once, unless 1 MiB waits for a slow server. A program that never awaits it may have
   * 64 MiB waiting. The next event then fails the writer for good.
   * @throws RunEventsError why an event before it could not be sent, or why this one cannot
   */
  emit<T extends keyof M & string>(eventType: T, payload?: M[T]): Promise<void>;
  /** Resolves when all that was given has been acknowledged. @throws RunEventsError why it was not */
  flush(): Promise<void>;
  /** Ends the run as completed, behind all that was given. */
  complete(payload?: PayloadOf<M, "RUN_COMPLETED">): Promise<AppendReceipt>;
  /** Ends the run as failed, behind all that was given. */
  fail(payload?: PayloadOf<M, "RUN_FAILED">): Promise<AppendReceipt>;
  /** Ends the run as cancelled, unless it has ended. @see W13 */
  cancel(): Promise<RunSnapshot>;
  /** Stops what is under way, without ending the run. Idempotent. */
  close(): void;
}

/**
 * Creates a run, starts it, and gives what writes it.
 * @throws RunEventsError `run_id_taken` and any other error that a retry does not cure; the signal's reason; a TypeError if
 * `runId` or `baseUrl` is invalid
 *
 * @example
 * const run = await startRun({ baseUrl, credential: { bearer: token } });
 * for await (const token of answer(run.signal)) await run.emit("TOKEN", token);
 * // A stream that is aborted may just end: then the run is not whole.
 * run.signal.throwIfAborted();
 * await run.complete();
 */
export async function startRun<M extends EventMap = EventMap>(
  options: StartOptions<M> = {},
): Promise<RunWriter<M>> {
  const { runId: id = crypto.randomUUID(), metadata } = options;
  const runId = checkRunId(id);
  const sender = createRunSender(createServer(options), runId, options);
  const enqueue = createOrder(options.schemas ?? {});
  const endKey = crypto.randomUUID();
  const send = async (
    events: readonly SealedDraft[],
    how: AppendOptions = {},
  ): Promise<AppendReceipt> => sender.ask(appendCall(runId, events, how));

  const queue = createGatheringQueue(send, sender.stop, {
    maxEvents: BATCH_EVENTS,
    gatherMs: GATHER_MS,
    clock: holdingClock,
  });

  async function append(
    drafts: readonly AnyDraft[],
    how: AppendOptions = {},
    evenIfFailed = false,
  ): Promise<AppendReceipt> {
    return enqueue(drafts, (events) => queue.ask(() => send(events, how), evenIfFailed));
  }

  async function end(
    eventType: string,
    payload: unknown,
    evenIfFailed = false,
  ): Promise<AppendReceipt> {
    // Called again because no answer came, it is the same request.
    const idempotencyKey = endKey + eventType;
    return append([{ eventType, payload }], { idempotencyKey }, evenIfFailed);
  }

  try {
    const { lastSequence } = await sender.ask(createCall(runId, metadata));
    const eventType = "RUN_STARTED";
    if (lastSequence === 0) await append([{ eventType }], { idempotencyKey: eventType });
  } catch (error) {
    sender.shut("store_unavailable");
    throw error;
  }

  return {
    runId,
    get signal() {
      return sender.signal();
    },
    append,
    emit(eventType, payload) {
      const done: Promise<void> = enqueue([{ eventType, payload }], async ([event]) => {
        // A program that does not await this promise gets the failure from the next call, and from `signal`.
        done.catch(() => {});
        sender.over.throwIfAborted();
        if (event !== undefined) await queue.emit(event);
      });
      return done;
    },
    flush: async () => enqueue([], async () => queue.ask(async () => {})),
    complete: async (payload) => end("RUN_COMPLETED", payload),
    // A run that lacks what could not be sent has failed, and never completed.
    fail: async (payload) => end("RUN_FAILED", payload, true),
    cancel: async () =>
      enqueue([], async () => queue.ask(() => sender.ask<RunSnapshot>(cancelCall(runId)), true)),
    close: () => sender.shut("store_unavailable"),
  };
}

/** Passes events on in the order of the calls, however long each check takes. */
type Order = <T>(
  drafts: readonly AnyDraft[],
  send: (events: readonly SealedDraft[]) => Promise<T>,
) => Promise<T>;

function createOrder(schemas: PayloadSchemas<EventMap>): Order {
  /** Never rejects. */
  let order: Promise<unknown> = Promise.resolve();

  async function check(draft: AnyDraft): Promise<SealedDraft> {
    const { eventType } = draft;
    let { payload } = draft;
    if (eventType in schemas) {
      if (payload instanceof SealedJson) payload = JSON.parse(payload.text);
      ({ payload } = await checkPayload(schemas, { eventType, payload }));
    }
    // The server decides which types there are.
    return { eventType, payload: SealedJson.of(payload) };
  }

  return async (drafts, send) => {
    const given = order.then(async () => {
      const events = await Promise.all(drafts.map(check));
      // Not awaited in order: only its place in the queue is.
      return { done: send(events) };
    });
    order = given.catch(() => {});
    const { done } = await given;
    return done;
  };
}

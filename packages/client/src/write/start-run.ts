import type { AppendReceipt, RunSnapshot } from "@tm/run-events-core";
import {
  checkEmitOptions,
  createEmitQueue,
  holdingClock,
  SealedJson,
} from "@tm/run-events-core/wire";
import type { sealDraft } from "@tm/run-events-core/wire";
import type { NewRun } from "../http/queries.ts";
import { appendCall, cancelCall, createCall, type InputConditions } from "../http/run-calls.ts";
import { createServer, type ServerOptions } from "../http/server.ts";
import type { EventMap, PayloadOf } from "../typed/event-map.ts";
import { checkPayload, hasSchema, type PayloadSchemas } from "../typed/payload-schema.ts";
import { createRunSender } from "./run-sender.ts";

/** The number of emitted events that one request holds at most. */
const BATCH_EVENTS = 500;
/** The time that an emitted event waits for others, in milliseconds. */
const GATHER_MS = 50;

/** The run to write, and how. */
export interface StartOptions<M extends EventMap = EventMap> extends ServerOptions, NewRun {
  /**
   * The time that each call is tried while the server does not answer, in milliseconds. This includes the start.
   * @defaultValue 300,000
   */
  readonly patienceMs?: number;
  /**
   * As `merge` of `work`. The payloads are those that the schemas returned.
   * @defaultValue no type
   * @see clause W41 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly merge?: TypedMerges<M> | undefined;
  /**
   * The time that the first emitted event of an append waits for others, in milliseconds: 0 to 10,000. An `append` ends the wait.
   * @defaultValue 50
   * @see clause W41 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly mergeMs?: number | undefined;
  /** Schemas that check payloads. A payload is sent as its schema returns it. */
  readonly schemas?: PayloadSchemas<M>;
  /** Stops the writer. It does not end the run. */
  readonly signal?: AbortSignal;
}

/** For each event type whose events may be merged, the function that makes one payload of two or more. */
export type TypedMerges<M extends EventMap> = {
  readonly [T in keyof M & string]?: { merge(payloads: readonly M[T][]): M[T] }["merge"];
};

/** An event to append, whose `eventType` decides the type of its `payload`. */
export type TypedDraft<M extends EventMap> = {
  readonly [T in keyof M & string]: { readonly eventType: T; readonly payload?: M[T] };
}[keyof M & string];

/** Options of an append. @see clauses W10 and W11 in `WIRE.md` of `@tm/run-events-http` */
export type AppendOptions = InputConditions;

/** An event to append. */
interface AnyDraft {
  readonly eventType: string;
  readonly payload?: unknown;
}

/** Writes to one run. Events land in the order of the calls. */
export interface RunWriter<M extends EventMap = EventMap> {
  readonly runId: string;
  /**
   * Aborts when the writer has to stop. The reason is `run_finished` with the run's status if another program ended the run;
   * `history_changed` if the log has lost events of this writer; or why an emitted event could not be sent. The first read of this property
   * starts the watch for the end.
   */
  readonly signal: AbortSignal;
  /**
   * Appends all of the events, or none. The append is tried again under its key while that can help.
   * @throws RunEventsError with the server's code
   * @see clauses W9 to W11 in `WIRE.md` of `@tm/run-events-http`
   */
  append(events: readonly TypedDraft<M>[], options?: AppendOptions): Promise<AppendReceipt>;
  /**
   * Takes one event of many, such as a token. Events are sent together, `mergeMs` after the first, up to 500 events or 1 MiB at a time.
   * Resolves when there is room for more: at once, unless 1 MiB waits for a slow server. In a program that never awaits it, up to
   * 64 MiB may wait. The next event then fails the writer for good.
   * @throws RunEventsError the reason why this event, or an earlier one, could not be sent
   */
  emit<T extends keyof M & string>(eventType: T, payload?: M[T]): Promise<void>;
  /**
   * Resolves when the server has acknowledged all events so far.
   * @throws RunEventsError the reason why it has not
   */
  flush(): Promise<void>;
  /** Ends the run as completed, after all events so far. */
  complete(payload?: PayloadOf<M, "RUN_COMPLETED">): Promise<AppendReceipt>;
  /** Ends the run as failed, after all events so far. It works even after an event could not be sent. */
  fail(payload?: PayloadOf<M, "RUN_FAILED">): Promise<AppendReceipt>;
  /** Ends the run as cancelled, unless it has ended. @see clause W13 in `WIRE.md` of `@tm/run-events-http` */
  cancel(): Promise<RunSnapshot>;
  /** Stops all requests under way, without ending the run. Idempotent. */
  close(): void;
}

/**
 * Creates a run, starts it, and returns its writer.
 * @throws RunEventsError any error that a retry does not cure
 * @throws TypeError if `runId`, `baseUrl` or `basePath` is invalid
 * @throws the signal's reason
 *
 * @example
 * const run = await startRun({ baseUrl, credential: { bearer: token } });
 * for await (const token of answer(run.signal)) await run.emit("TOKEN", token);
 * // An aborted stream may simply end. Then the run is not complete.
 * run.signal.throwIfAborted();
 * await run.complete();
 */
export async function startRun<M extends EventMap = EventMap>(
  options: StartOptions<M> = {},
): Promise<RunWriter<M>> {
  checkEmitOptions(options);
  const { runId = crypto.randomUUID(), mergeMs = GATHER_MS } = options;
  const sender = createRunSender(createServer(options), runId, options);
  const enqueue = createOrder(options.schemas ?? {});
  const endKey = crypto.randomUUID();
  const send = async (
    events: readonly ReturnType<typeof sealDraft>[],
    how: AppendOptions = {},
  ): Promise<AppendReceipt> => {
    try {
      return await sender.ask(appendCall(runId, events, how));
    } catch (error) {
      // Later events must not follow on a log that has lost earlier ones.
      if ((error as { code?: unknown } | null)?.code === "history_changed") queue.refuse(error);
      throw error;
    }
  };

  const queue = createEmitQueue(send, sender.stop, {
    maxEvents: BATCH_EVENTS,
    gatherMs: mergeMs,
    merges: options.merge,
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
    // A caller that got no answer may call again. The key makes that the same request.
    const idempotencyKey = endKey + eventType;
    return append([{ eventType, payload }], { idempotencyKey }, evenIfFailed);
  }

  try {
    const { lastSequence } = await sender.ask(createCall({ ...options, runId }));
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
    // A run that lacks an event must not complete, but it can fail.
    fail: async (payload) => end("RUN_FAILED", payload, true),
    cancel: async () =>
      enqueue([], async () => queue.ask(() => sender.ask<RunSnapshot>(cancelCall(runId)), true)),
    close: () => sender.shut("store_unavailable"),
  };
}

/** Checks events, and sends them in the order of the calls, however long each check takes. */
type Order = <T>(
  drafts: readonly AnyDraft[],
  send: (events: readonly ReturnType<typeof sealDraft>[]) => Promise<T>,
) => Promise<T>;

function createOrder(schemas: PayloadSchemas<EventMap>): Order {
  /** Never rejects. */
  let order: Promise<unknown> = Promise.resolve();

  async function check(draft: AnyDraft): Promise<ReturnType<typeof sealDraft>> {
    const { eventType } = draft;
    let { payload } = draft;
    if (hasSchema(schemas, eventType)) {
      if (payload instanceof SealedJson) payload = JSON.parse(payload.text);
      ({ payload } = await checkPayload(schemas, { eventType, payload }));
    }
    // The server decides which types are valid.
    return { eventType, payload: SealedJson.of(payload) };
  }

  return async (drafts, send) => {
    const checked = order.then(async () => {
      const events = await Promise.all(drafts.map(check));
      // Only the place in the queue is in order. The answer is not awaited here.
      return { done: send(events) };
    });
    order = checked.catch(() => {});
    const { done } = await checked;
    return done;
  };
}

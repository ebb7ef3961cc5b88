import {
  type AppendReceipt,
  isTerminal,
  JsonText,
  type RunSnapshot,
  RunEventsError,
  type RunEventsErrorCode,
  type RunStatus,
} from "@tm/run-events-core";
import { checkRunId } from "./check-run-id.ts";
import type { EventMap } from "./event-map.ts";
import { linkAbort } from "./link-abort.ts";
import { checkPayload, type PayloadSchemas } from "./payload-schema.ts";
import { retrying } from "./retrying.ts";
import { createSendQueue } from "./send-queue.ts";
import { createServer, type ServerOptions } from "./server.ts";
import { watchEnd } from "./watch-end.ts";

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
   * Takes one event of many, such as a token: they are sent together, 50 ms after the first or once there are 256 KiB. Resolves when
   * there is room for more: at once, unless 1 MiB waits for a slow server.
   * @throws RunEventsError why an event before it could not be sent, or why this one cannot
   */
  emit<T extends keyof M & string>(eventType: T, payload?: M[T]): Promise<void>;
  /** Resolves when all that was given has been acknowledged. @throws RunEventsError why it was not */
  flush(): Promise<void>;
  /** Ends the run as completed, behind all that was given. */
  complete(payload?: unknown): Promise<AppendReceipt>;
  /** Ends the run as failed, behind all that was given. */
  fail(payload?: unknown): Promise<AppendReceipt>;
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
  const { runId: id = crypto.randomUUID(), metadata, patienceMs = 300_000, schemas = {} } = options;
  const runId = checkRunId(id);
  const server = createServer(options);
  const { signal, abort } = linkAbort(options.signal);
  const watch = linkAbort(signal);
  const stopped = new AbortController();
  const endKey = crypto.randomUUID();
  const home = `/v1/agent-runs/${runId}`;
  const queue = createSendQueue(async (events) => send(events), stop);
  let watching: Promise<unknown> | undefined;
  /** Never rejects. */
  let order: Promise<unknown> = Promise.resolve();

  async function post<T>(
    path: string,
    body: string,
    key: string = crypto.randomUUID(),
  ): Promise<T> {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const call = { path, method: "POST", headers, body, signal } as const;
    return retrying(() => server.askJson<T>(call), signal, patienceMs).catch((error: unknown) => {
      if (isFinished(error)) stop(error);
      throw error;
    });
  }

  async function send(
    events: readonly string[],
    { expectedSequence, idempotencyKey }: AppendOptions = {},
  ): Promise<AppendReceipt> {
    const expected =
      expectedSequence === undefined ? "" : `,"expectedSequence":${expectedSequence}`;
    const body = `{"events":[${events.join()}]${expected}}`;
    return shutIfOver(await post<AppendReceipt>(`${home}/events`, body, idempotencyKey));
  }

  function stop(reason: unknown): void {
    stopped.abort(reason);
    // Nothing is under way when it is known that the run has ended. Else it can still be ended.
    (isFinished(reason) ? abort : watch.abort)(reason);
  }

  async function encode(draft: AnyDraft): Promise<string> {
    const { eventType } = draft;
    let { payload } = draft;
    if (eventType in schemas) {
      if (payload instanceof JsonText) payload = JSON.parse(payload.text);
      ({ payload } = await checkPayload(schemas, { eventType, payload }));
    }
    return `{"eventType":${JSON.stringify(eventType)}${memberOf("payload", payload)}}`;
  }

  /** Gives events to the queue in order, whatever time their check takes. */
  async function give<T>(
    drafts: readonly AnyDraft[],
    put: (events: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const given = order.then(async () => {
      const events = await Promise.all(drafts.map(encode));
      // Not awaited in order: only its place in the queue is.
      return { done: put(events) };
    });
    order = given.catch(() => {});
    const { done } = await given;
    return done;
  }

  async function append(
    drafts: readonly AnyDraft[],
    how: AppendOptions = {},
    isAnyway = false,
  ): Promise<AppendReceipt> {
    return give(drafts, async (events) => queue.ask(async () => send(events, how), isAnyway));
  }

  async function end(
    eventType: string,
    payload: unknown,
    isAnyway = false,
  ): Promise<AppendReceipt> {
    // Called again because no answer came, it is the same request.
    const idempotencyKey = endKey + eventType;
    return append([{ eventType, payload }], { idempotencyKey }, isAnyway);
  }

  function shutIfOver<T extends { readonly runStatus: RunStatus }>(run: T): T {
    if (isTerminal(run.runStatus)) shut("run_finished");
    return run;
  }

  function shut(code: RunEventsErrorCode): void {
    abort(new RunEventsError(code, "The writer is closed.", { retryable: false }));
  }

  try {
    const body = `{"runId":${JSON.stringify(runId)}${memberOf("metadata", metadata)}}`;
    const { lastSequence } = await post<RunSnapshot>("/v1/agent-runs", body);
    const eventType = "RUN_STARTED";
    if (lastSequence === 0) await append([{ eventType }], { idempotencyKey: eventType });
  } catch (error) {
    abort();
    throw error;
  }

  return {
    runId,
    get signal() {
      watching ??= watchEnd(server, home, queue.isIdle, watch.signal).catch(
        (error: unknown) => watch.signal.aborted || stop(error),
      );
      return stopped.signal;
    },
    append,
    emit(eventType, payload) {
      const done: Promise<void> = give([{ eventType, payload }], async (events) => {
        // Whoever does not await what the queue has is told by the next call, and by `signal`.
        done.catch(() => {});
        signal.throwIfAborted();
        return queue.emit(events.join());
      });
      return done;
    },
    flush: async () => give([], async () => queue.ask(async () => {})),
    complete: async (payload) => end("RUN_COMPLETED", payload),
    // A run that lacks what could not be sent has failed, and never completed.
    fail: async (payload) => end("RUN_FAILED", payload, true),
    cancel: async () =>
      give([], async () =>
        queue.ask(async () => shutIfOver(await post<RunSnapshot>(`${home}/cancel`, "{}")), true),
      ),
    close: () => shut("store_unavailable"),
  };
}

/** A member behind another one, as JSON; nothing for `undefined`. @throws RunEventsError `invalid_event` if the value has no JSON */
function memberOf(name: string, value: unknown): string {
  return value === undefined ? "" : `,"${name}":${JsonText.of(value).text}`;
}

function isFinished(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === "run_finished";
}

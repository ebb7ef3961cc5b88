import { type AppendReceipt, type RunSnapshot, RunEventsError } from "@tm/run-events-core";
import type { EventMap } from "./event-map.ts";
import { linkAbort } from "./link-abort.ts";
import { checkPayload, type PayloadSchemas } from "./payload-schema.ts";
import { retrying } from "./retrying.ts";
import { createSendQueue, encodeDraft, type Sending } from "./send-queue.ts";
import { createServer, type ServerOptions } from "./server.ts";
import { watchEnd } from "./watch-end.ts";

/** Which run to write, and how. */
export interface StartOptions<M extends EventMap = EventMap> extends ServerOptions {
  /** Default a UUID. A run of yours that is there already is gone on with. @see W8 */
  readonly runId?: string;
  /** Any JSON value. */
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
  append(
    events: readonly TypedDraft<M>[],
    options?: { readonly idempotencyKey?: string; readonly expectedSequence?: number },
  ): Promise<AppendReceipt>;
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
 * @throws RunEventsError `run_id_taken` and whatever else trying again does not mend; the signal's reason
 *
 * @example
 * const run = await startRun({ baseUrl, credential: { bearer: token } });
 * for await (const token of answer) await run.emit("TOKEN", token);
 * await run.complete();
 */
export async function startRun<M extends EventMap = EventMap>(
  options: StartOptions<M> = {},
): Promise<RunWriter<M>> {
  const { metadata = null, patienceMs = 300_000, schemas = {} } = options;
  const { runId = crypto.randomUUID() } = options;
  const server = createServer(options);
  const { signal, abort } = linkAbort(options.signal);
  const stopped = new AbortController();
  const endKey = crypto.randomUUID();
  let lastSequence = 0;
  let watching: Promise<unknown> | undefined;
  let order: Promise<unknown> = Promise.resolve();

  async function post<T>(
    path: string,
    body: string,
    key: string = crypto.randomUUID(),
  ): Promise<T> {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const call = { path: `/v1/agent-runs${path}`, method: "POST", headers, body, signal } as const;
    return retrying(() => server.askJson<T>(call), signal, patienceMs);
  }

  const queue = createSendQueue(async ({ events, expectedSequence, idempotencyKey }) => {
    const expected =
      expectedSequence === undefined ? "" : `"expectedSequence":${expectedSequence},`;
    const body = `{${expected}"events":[${events.join(",")}]}`;
    try {
      const receipt = await post<AppendReceipt>(`/${runId}/events`, body, idempotencyKey);
      ({ lastSequence } = receipt);
      return receipt;
    } catch (error) {
      if (error instanceof RunEventsError && error.code === "run_finished") stop(error);
      throw error;
    }
  }, stop);

  function stop(reason: unknown): void {
    stopped.abort(reason);
    close();
  }

  function close(): void {
    abort(new RunEventsError("run_finished", "The writer is closed."));
  }

  /** Checks what may take its time, and keeps the order meanwhile. */
  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = order.then(work, work);
    order = done;
    // Whoever awaits it is told; whoever does not is told by the next call, and by `signal`.
    done.catch(() => {});
    return done;
  }

  async function encode({ eventType, payload }: AnyDraft): Promise<string> {
    return encodeDraft(eventType, await checkPayload<EventMap>(schemas, eventType, payload));
  }

  async function append(
    drafts: readonly AnyDraft[],
    how: Omit<Sending, "events"> = {},
  ): Promise<AppendReceipt> {
    const { receipt } = await inOrder(async () => {
      const events = await Promise.all(drafts.map(encode));
      // Not awaited in order: only its place in the queue is.
      return { receipt: queue.append({ ...how, events }) };
    });
    return receipt;
  }

  async function end(eventType: string, payload: unknown): Promise<AppendReceipt> {
    // Called again because no answer came, it is the same request.
    const idempotencyKey = `${endKey}-${eventType}`;
    const receipt = await append([{ eventType, payload }], { idempotencyKey });
    close();
    return receipt;
  }

  try {
    ({ lastSequence } = await post<RunSnapshot>("", JSON.stringify({ runId, metadata })));
    if (lastSequence === 0) {
      await append([{ eventType: "RUN_STARTED" }], { idempotencyKey: "run-started" });
    }
  } catch (error) {
    close();
    throw error;
  }

  return {
    runId,
    get signal() {
      const { isIdle } = queue;
      watching ??= watchEnd({
        server,
        runId,
        signal,
        isIdle,
        lastSequence: () => lastSequence,
      }).catch((error: unknown) => signal.aborted || stop(error));
      return stopped.signal;
    },
    append,
    emit: (eventType, payload) =>
      inOrder(async () => queue.emit(await encode({ eventType, payload }))),
    async flush() {
      await inOrder(async () => {});
      await queue.flush();
    },
    complete: (payload) => end("RUN_COMPLETED", payload),
    fail: (payload) => end("RUN_FAILED", payload),
    async cancel() {
      const run = await post<RunSnapshot>(`/${runId}/cancel`, "{}");
      close();
      return run;
    },
    close,
  };
}

interface AnyDraft {
  readonly eventType: string;
  readonly payload?: unknown;
}

import {
  type EventDraft,
  RunEventsError,
  type RunEvent,
  type RunSnapshot,
} from "@tm/run-events-core";
import {
  type ResumableStreamAcquisition,
  ResumableStreamError,
  type ResumableStreamLease,
  type ResumableStreamStore,
} from "assistant-stream/resumable";
import { cutShort, returned, StreamRuns, type StreamRunsOptions } from "../stream-runs.ts";
import { decodeBytes, encodeBytes } from "./bytes.ts";
import { produce, type Producer } from "./producer.ts";

/** Where the streams are, and how long they are kept. */
export interface RunEventsResumableStreamStoreOptions extends StreamRunsOptions {
  /**
   * A part of the streams' names: stores with different prefixes share no stream.
   * @defaultValue `assistant-ui`
   */
  readonly keyPrefix?: string | undefined;
  /**
   * How long a stream stays without an append, in milliseconds, unless its acquisition says otherwise. A live one then fails. One that
   * has ended is `missing`, and its id is free; `RunEvents.purge` removes its bytes.
   * @defaultValue 86,400,000: a day
   */
  readonly defaultTtlMs?: number | undefined;
}

/** The type of the events that hold the bytes, each a part of them as base64. */
const BYTES = "BYTES";
/** The most parts of one append: 4 MiB. */
const MOST_PARTS = 16;

/**
 * Makes a store for `createResumableStreamContext` of `assistant-stream/resumable`. A producer that dies ends its readers with an error.
 * @throws TypeError for an `ownerId` that is `undefined` or empty
 *
 * @example
 * const store = createRunEventsResumableStreamStore({ runs, ownerId: "ada" });
 * const context = createResumableStreamContext({ store });
 * const stream = await context.run("answer-7", () => askModel());
 */
export function createRunEventsResumableStreamStore(
  options: RunEventsResumableStreamStoreOptions,
): ResumableStreamStore {
  const { keyPrefix = "assistant-ui", defaultTtlMs = 86_400_000 } = options;
  const streams = new StreamRuns(options, keyPrefix);
  const { runs, ownerId } = streams;
  /** The streams that this process produces, by their runs. */
  const producers = new Map<string, Producer>();

  async function find(streamId: string): Promise<RunSnapshot | null> {
    const run = await streams.find(await runIdOf(streams, streamId));
    return run === null || isExpired(run, defaultTtlMs) ? null : run;
  }

  async function acquireLease(
    streamId: string,
    { ttlMs = defaultTtlMs }: { readonly ttlMs?: number } = {},
  ): Promise<ResumableStreamAcquisition> {
    const runId = await runIdOf(streams, streamId);
    for (;;) {
      const producer = await produce(streams, runId, { streamId, ttlMs });
      if (!(producer instanceof RunEventsError)) {
        producers.set(runId, producer);
        void producer.over.then(() => {
          if (producers.get(runId) === producer) producers.delete(runId);
        });
        return { role: "producer", lease: { token: String(producer.fence) } };
      }
      if (producer.code === "claimed" || (await find(streamId)) !== null)
        return { role: "consumer" };
      // Another call may have removed it, and made a new one: the next attempt finds out.
      await runs.delete(runId, { ownerId }).catch(returned("not_found", "run_active"));
    }
  }

  const currentFence = async (runId: string): Promise<number> =>
    (await runs.log.getRun(runId, { ownerId })).fence;

  /**
   * Appends under the lease. Without one, it is that of the producer in this process, or that of the run.
   * @returns the refusal, `not_found`, `fenced` or `run_finished`, or `null`
   */
  async function write(
    runId: string,
    events: readonly EventDraft[],
    lease: ResumableStreamLease | undefined,
  ): Promise<RunEventsError | null> {
    const own = producers.get(runId);
    try {
      const fence = Number(lease?.token ?? own?.fence ?? (await currentFence(runId)));
      if (own?.fence === fence) await own.append(events);
      else await runs.append(runId, events, { ownerId, fence });
      return null;
    } catch (error) {
      return returned("not_found", "fenced", "run_finished")(error);
    }
  }

  return {
    acquireLease,
    acquire: async (streamId, acquisition) => (await acquireLease(streamId, acquisition)).role,
    async append(streamId, chunk, lease) {
      const runId = await runIdOf(streams, streamId);
      const parts = encodeBytes(chunk, runs.log.limits.maxPayloadBytes);
      const events = parts.map((payload) => ({ eventType: BYTES, payload }));
      for (let at = 0; at < events.length; at += MOST_PARTS) {
        const refusal = await write(runId, events.slice(at, at + MOST_PARTS), lease);
        if (refusal === null) continue;
        if (refusal.code === "not_found") throw missing(streamId);
        const isOther = lease !== undefined && Number(lease.token) !== (await currentFence(runId));
        throw isOther || refusal.code === "fenced" ? superseded(streamId) : finalized(streamId);
      }
      producers.get(runId)?.touch();
    },
    async finalize(streamId, status, message = "Stream errored", lease) {
      const runId = await runIdOf(streams, streamId);
      const own = producers.get(runId);
      const isOwn = lease === undefined || own?.fence === Number(lease.token);
      const most = Math.min(runs.log.limits.maxPayloadBytes, 262_144) / 6 - 10;
      const payload = { reason: "error", message: message.slice(0, most) };
      const failed = { eventType: "RUN_FAILED", payload };
      const end = status === "done" ? { eventType: "RUN_COMPLETED" } : failed;
      let isFinal = false;
      try {
        const refusal = await write(runId, [end], lease);
        isFinal = refusal === null;
        if (refusal?.code === "not_found") throw missing(streamId);
      } finally {
        // If the end did not land, the lease is not renewed any more: readers get an error, and do not wait for ever.
        if (isOwn) own?.end(isFinal);
      }
      return isFinal;
    },
    async *read(streamId, cursor, signal) {
      if ((await find(streamId)) === null) throw missing(streamId);
      const runId = await runIdOf(streams, streamId);
      try {
        for await (const event of streams.follow(runId, Number.parseInt(cursor) || 0, signal)) {
          if (signal.aborted) return;
          const failure = failureOf(event);
          if (failure !== null) throw failure;
          const { sequence, eventType, payload } = event;
          if (eventType !== BYTES || typeof payload !== "string") continue;
          yield { cursor: String(sequence), chunk: decodeBytes(payload) };
          if (signal.aborted) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        const isGone = error instanceof RunEventsError && error.code === "not_found";
        throw isGone ? missing(streamId) : error;
      }
    },
    async status(streamId) {
      const run = await find(streamId);
      if (run === null) return "missing";
      if (run.finishedAt === null) return "streaming";
      return run.runStatus === "completed" ? "done" : "error";
    },
    async delete(streamId) {
      const runId = await runIdOf(streams, streamId);
      await runs.cancel(runId, { ownerId }).catch(returned("not_found"));
      await runs.delete(runId, { ownerId }).catch(returned("not_found", "run_active"));
    },
  };
}

async function runIdOf(streams: StreamRuns, streamId: string): Promise<string> {
  if (!/^[A-Za-z0-9_.:-]{1,256}$/.test(streamId)) {
    throw new ResumableStreamError("invalid-id", `Invalid streamId: ${streamId}`);
  }
  return streams.runIdOf(streamId);
}

/** Whether a stream that has ended has outlived its time to live. */
function isExpired({ metadata, finishedAt }: RunSnapshot, defaultTtlMs: number): boolean {
  const { ttlMs = defaultTtlMs } = metadata as { readonly ttlMs?: number };
  return finishedAt !== null && Date.parse(finishedAt) + ttlMs <= Date.now();
}

/** Why a reader does not get the whole stream: what the producer said, or how the run ended. */
function failureOf(event: RunEvent): Error | null {
  const failure = cutShort(event);
  const { message } = (event.payload ?? {}) as { readonly message?: unknown };
  return failure !== null && typeof message === "string" ? new Error(message) : failure;
}

function missing(streamId: string): ResumableStreamError {
  return new ResumableStreamError("missing", `Stream not found: ${streamId}`);
}

function superseded(streamId: string): ResumableStreamError {
  const message = `Stream superseded by a new acquisition: ${streamId}`;
  return new ResumableStreamError("missing", message);
}

function finalized(streamId: string): ResumableStreamError {
  return new ResumableStreamError("finalized", `Stream already finalized: ${streamId}`);
}

import { type EventDraft, type RunEvent, RunEventsError } from "@tm/run-events-core";
import { sealDraft } from "@tm/run-events-core/wire";
import type { ResumableStreamStore } from "assistant-stream/resumable";
import { batchesOf } from "../produce/batches.ts";
import { checkTime } from "../runs/check-options.ts";
import { decodeBytes, encodeBytes } from "../produce/bytes.ts";
import { cutShort, StreamRuns, type StreamRunsOptions } from "../runs/stream-runs.ts";
import { isDeletion, LeasedStreams, missing } from "./leased-streams.ts";

/** Where the streams are, and how long they are kept. */
export interface RunEventsResumableStreamStoreOptions extends StreamRunsOptions {
  /**
   * A part of the streams' names: stores with different prefixes share no stream.
   * @defaultValue `assistant-ui`
   */
  readonly keyPrefix?: string | undefined;
  /**
   * The time that a stream stays without an append, in milliseconds: 0 or more, or `Infinity`. The `ttlMs` of an acquisition replaces it. A live
   * stream then fails, after 24 days at the latest unless it is `Infinity`: within twice the time, if another process has appended under its lease. One that has ended is then `missing`, and
   * its id is free. `RunEvents.purge` removes its bytes.
   * @defaultValue 86,400,000: a day
   */
  readonly defaultTtlMs?: number | undefined;
}

/** The type of the events that hold the bytes, each a part of them as base64. */
const BYTES = "BYTES";

/**
 * Makes a store for `createResumableStreamContext` of `assistant-stream/resumable`. A producer that dies ends its readers with an error.
 * @throws TypeError for an `ownerId` that is `undefined` or empty, and a `leaseMs` or a `defaultTtlMs` out of bounds. Without an
 * `ownerId` also for a `keyPrefix` that is empty
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
  checkTime("defaultTtlMs", defaultTtlMs, 0);
  const streams = new StreamRuns(options, keyPrefix);
  const leased = new LeasedStreams(streams, defaultTtlMs);
  const { runs } = streams;
  const { maxPayloadBytes } = runs.log.limits;

  return {
    acquireLease: (streamId, acquisition) => leased.acquire(streamId, acquisition?.ttlMs),
    acquire: async (streamId, acquisition) =>
      (await leased.acquire(streamId, acquisition?.ttlMs)).role,
    async append(streamId, chunk, lease) {
      // At once: the caller may use the bytes for something else while it waits.
      const parts = encodeBytes(chunk, maxPayloadBytes);
      const events = parts.map((payload) => sealDraft({ eventType: BYTES, payload }));
      const runId = await leased.runIdOf(streamId);
      const refusal = await leased.write(runId, batchesOf(events, runs.log.limits), lease);
      if (refusal !== null) throw await leased.refusalOf(streamId, refusal, lease);
    },
    async finalize(streamId, status, message = "Stream errored", lease) {
      const runId = await leased.runIdOf(streamId);
      const own = leased.own(runId, lease);
      let refusal: RunEventsError | null | undefined;
      try {
        refusal = await leased.write(runId, [[endOf(status, message, maxPayloadBytes)]], lease);
      } finally {
        // If the end did not land, the lease is not renewed any more: readers get an error, and do not wait for ever.
        own?.end(refusal === null);
      }
      if (refusal?.code === "not_found") throw missing(streamId);
      return refusal === null;
    },
    async *read(streamId, cursor, signal) {
      if ((await leased.find(streamId)) === null) throw missing(streamId);
      const runId = await leased.runIdOf(streamId);
      try {
        for await (const event of streams.follow(runId, Number.parseInt(cursor) || 0, signal)) {
          if (signal.aborted) return;
          if (isDeletion(event)) throw missing(streamId);
          const failure = failureOf(event);
          if (failure !== null) throw failure;
          const chunk = bytesOf(event);
          if (chunk === null) continue;
          yield { cursor: String(event.sequence), chunk };
          if (signal.aborted) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        const isGone = error instanceof RunEventsError && error.code === "not_found";
        throw isGone ? missing(streamId) : error;
      }
    },
    async status(streamId) {
      const run = await leased.find(streamId);
      if (run === null) return "missing";
      if (run.finishedAt === null) return "streaming";
      return run.runStatus === "completed" ? "done" : "error";
    },
    async delete(streamId) {
      const runId = await leased.runIdOf(streamId);
      await leased.endDeleted(runId);
      await streams.remove(runId);
    },
  };
}

/** The last event of a stream. A long message is cut so that it fits, even if each of its units takes an escape. */
function endOf(status: "done" | "error", message: string, maxPayloadBytes: number): EventDraft {
  if (status === "done") return { eventType: "RUN_COMPLETED" };
  const most = Math.min(maxPayloadBytes, 262_144) / 6 - 10;
  return { eventType: "RUN_FAILED", payload: { reason: "error", message: message.slice(0, most) } };
}

/** The bytes of an event; `null` if it has none, as when another program has written it. */
function bytesOf({ eventType, payload }: RunEvent): Uint8Array<ArrayBuffer> | null {
  if (eventType !== BYTES || typeof payload !== "string") return null;
  try {
    return decodeBytes(payload);
  } catch {
    return null;
  }
}

/** Why a reader does not get the whole stream: what the producer said, or how the run ended. */
function failureOf(event: RunEvent): Error | null {
  const failure = cutShort(event);
  const { message } = (event.payload ?? {}) as { readonly message?: unknown };
  return failure !== null && typeof message === "string" ? new Error(message) : failure;
}

import { RunEventsError } from "@tm/run-events-core";
import type { StreamChunk, StreamDurability } from "@tanstack/ai";
import { checkTime } from "../runs/check-options.ts";
import { endsValue } from "../runs/event-parts.ts";
import { produce, type Producer } from "../produce/producer.ts";
import { encodePlace } from "../runs/run-place.ts";
import { returned, StreamRuns, type StreamRunsOptions } from "../runs/stream-runs.ts";
import { appendsOf } from "./chunks.ts";
import { placeOf } from "./offset.ts";
import { planEnd } from "./plan-end.ts";
import { readChunks, readSnapshot } from "./read-chunks.ts";

/** Where the runs of TanStack AI are, and how they are kept. */
export interface RunEventsStreamOptions extends StreamRunsOptions {
  /**
   * A part of the runs' names: streams with different prefixes share no run.
   * @defaultValue `tanstack-ai`
   */
  readonly keyPrefix?: string | undefined;
  /**
   * The time that a reader at `-1` or `now` waits for a run that does not exist yet, in milliseconds: 0 or more, or `Infinity`.
   * @defaultValue 100
   */
  readonly firstChunkDeadlineMs?: number | undefined;
  /**
   * The time that a producer may append nothing, in milliseconds: 1 or more, or `Infinity`. More than 24 days count as 24 days. Its run
   * then fails: the producer may have ended without a `close`.
   * @defaultValue 3,600,000: an hour
   */
  readonly idleMs?: number | undefined;
  /**
   * The controller that `chat` has. It aborts when the producer has to stop: the run was cancelled, by any process, or this one shuts down.
   * If your program aborts it before the last chunk, the run fails: otherwise a part of an answer could pass for the whole.
   * @defaultValue none: the producer stops at its next append
   */
  readonly abortController?: AbortController | undefined;
}

/** A run by its id, where there is no request. */
export interface RunEventsStreamInit {
  /** Well-formed text without line breaks, and not empty. */
  readonly runId: string;
  /**
   * Reads after this offset: that of a chunk, `-1` for the start, or `now`. A read fails for any other.
   * @defaultValue `null`: a producer
   */
  readonly offset?: string | null | undefined;
}

/** A durable stream of one run. */
export interface RunEventsStream extends StreamDurability {
  /**
   * Stops the run, whichever process produces it. Its readers fail.
   * @returns `true` if the run is cancelled now, `false` if it had ended before, `null` if the owner has none with this id
   * @throws RunEventsError `store_unavailable`
   */
  readonly cancel: () => Promise<boolean | null>;
}

/**
 * Makes the durability of one run for `toServerSentEventsResponse` and the like of TanStack AI. The first append elects the producer: an
 * append of another one is refused as `claimed` or `run_finished`. A reader of a run whose producer died or was cancelled gets an error.
 * @param source the request, or the run
 * @throws TypeError for an `ownerId` that is `undefined` or empty, and times out of bounds. Without an `ownerId` also for a `keyPrefix`
 * that is empty
 * @throws Error for a run id that is empty, has a line break or is not well-formed text, and for a request whose offset
 * is not `-1`, `now` or one in the form of a chunk's
 *
 * @example
 * const adapter = runEventsStream(request, { runs, ownerId: "ada" });
 * return toServerSentEventsResponse(chat({ adapter: model, messages }), { durability: { adapter } });
 */
export function runEventsStream(
  source: Request | RunEventsStreamInit,
  options: RunEventsStreamOptions,
): RunEventsStream {
  const { keyPrefix = "tanstack-ai", idleMs = 3_600_000, firstChunkDeadlineMs = 100 } = options;
  checkTime("idleMs", idleMs, 1);
  checkTime("firstChunkDeadlineMs", firstChunkDeadlineMs, 0);
  const streams = new StreamRuns(options, keyPrefix);
  const { runs } = streams;
  const { runId: name, offset: resumeOffset } = placeOf(source);
  let producing: Promise<Producer> | null = null;
  let lastChunk: StreamChunk | undefined;
  /** Whether chunks were lost: then the run is not whole, even if others land. */
  let isTorn = false;

  async function startProducing(): Promise<Producer> {
    const metadata = { streamId: name, ttlMs: idleMs };
    const stop = (reason: unknown): void => options.abortController?.abort(reason);
    const producer = await produce(streams, await streams.runIdOf(name), metadata, stop);
    if (producer instanceof RunEventsError) throw producer;
    return producer;
  }

  async function append(chunks: readonly StreamChunk[]): Promise<string[]> {
    if (chunks.length === 0) return [];
    producing ??= startProducing();
    const producer = await producing;
    try {
      const batches = appendsOf(chunks, runs.log.limits);
      const receipts = await producer.append(batches);
      lastChunk = chunks.at(-1);
      return receipts.flatMap(({ firstSequence }, batch) =>
        (batches[batch] ?? []).flatMap((event, index) =>
          endsValue(event) ? [encodePlace(name, firstSequence + index)] : [],
        ),
      );
    } catch (error) {
      isTorn = true;
      throw error;
    }
  }

  async function close(): Promise<void> {
    producing ??= startProducing();
    const producer = await producing;
    // Whether chunks were lost is known only after all appends.
    await producer.idle();
    const isStopped =
      producer.run.signal.aborted || options.abortController?.signal.aborted === true;
    const end = planEnd({ lastChunk, isTorn, isStopped });
    const ended = await producer.append([[end]]).catch((error: unknown) => {
      producer.end(false);
      return returned("run_finished")(error);
    });
    if (!(ended instanceof RunEventsError)) producer.end(true);
  }

  return {
    resumeFrom: () => resumeOffset,
    append,
    close,
    read: (offset, signal) => readChunks(streams, { name, offset, signal, firstChunkDeadlineMs }),
    snapshot: () => readSnapshot(streams, name),
    cancel: () => streams.cancel(name),
  };
}

import type { RunEventsError } from "@tm/run-events-core";
import { checkWorkSettings } from "../runs/check-options.ts";
import { StreamRuns, type StreamRunsOptions } from "../runs/stream-runs.ts";
import { type MakeStream, produceText } from "./produce-text.ts";
import { readText } from "./text-log.ts";

/** Where the streams are, and how they are kept. */
export interface ResumableStreamContextOptions extends StreamRunsOptions {
  /**
   * A part of the streams' names: contexts with different prefixes share no stream.
   * @defaultValue `resumable-stream`
   */
  readonly keyPrefix?: string | undefined;
  /**
   * Keeps the program alive until the promise is settled, such as `after` of Next.js. `null` where no host suspends it.
   * @defaultValue `null`
   */
  readonly waitUntil?: ((promise: Promise<unknown>) => unknown) | null | undefined;
  /**
   * Whether a stream that has come to its end is read again from the log. With `false` the calls return `null` for it, as those of
   * `resumable-stream` do. One that failed or was cancelled gives what it has, and then its error, in any case.
   * @defaultValue `true`
   */
  readonly replayFinished?: boolean | undefined;
  /**
   * The time that text waits for more before it is written, in milliseconds: 0 to 10,000. The longer, the fewer events a stream has. The
   * stream of the producer itself does not wait.
   * @defaultValue 100
   */
  readonly mergeMs?: number | undefined;
}

/** The calls of `resumable-stream`, and a cancel. */
export interface ResumableStreamContext {
  /**
   * Makes the stream unless one with this id exists. Otherwise it reads that one from its start.
   * @param makeStream called once for an id, in whichever process asks first
   * @param skipCharacters how many UTF-16 units of an existing stream to leave out: what the reader has already. Default: 0
   * @returns the stream; `null` if it has come to its end and `replayFinished` is `false`
   * @throws what `makeStream` throws
   * @throws RunEventsError `store_unavailable`
   */
  resumableStream(
    streamId: string,
    makeStream: MakeStream,
    skipCharacters?: number,
  ): Promise<ReadableStream<string> | null>;
  /**
   * Makes a new stream. One with the same id that has ended is removed.
   * @param skipCharacters has no effect, since the stream is new
   * @returns the stream from its start; never `null`
   * @throws what `makeStream` throws
   * @throws RunEventsError `claimed` while a stream with this id is live; `store_unavailable`
   */
  createNewResumableStream(
    streamId: string,
    makeStream: MakeStream,
    skipCharacters?: number,
  ): Promise<ReadableStream<string> | null>;
  /**
   * Reads a stream from its start, and follows it to its end. The returned stream fails with `run_finished` and `details.runStatus` if
   * the producer failed, died or was cancelled.
   * @param skipCharacters how many UTF-16 units to leave out: what the reader has already. Default: 0
   * @returns the stream; `undefined` if the owner has none with this id; `null` if it has come to its end and `replayFinished` is `false`
   * @throws RunEventsError `store_unavailable`
   */
  resumeExistingStream(
    streamId: string,
    skipCharacters?: number,
  ): Promise<ReadableStream<string> | null | undefined>;
  /**
   * Looks for a stream.
   * @returns `true` if it is live, `"DONE"` if it has ended in any way, `null` if the owner has none with this id
   * @throws RunEventsError `store_unavailable`
   */
  hasExistingStream(streamId: string): Promise<null | true | "DONE">;
  /**
   * Stops a stream, whichever process makes it: its signal aborts, its source is cancelled, and its readers fail with `run_finished`.
   * @returns `true` if the stream is cancelled now, `false` if it had ended before, `null` if the owner has none with this id
   * @throws RunEventsError `store_unavailable`
   */
  cancelExistingStream(streamId: string): Promise<boolean | null>;
}

/**
 * Makes the calls of `resumable-stream` on a store of runs, which keeps the text: a stream outlives its producer, and can be cancelled.
 * @throws TypeError for an `ownerId` that is `undefined` or empty, and a `leaseMs` or a `mergeMs` out of bounds. Without an `ownerId`
 * also for a `keyPrefix` that is empty
 *
 * @example
 * const streams = createResumableStreamContext({ runs, ownerId: "ada", waitUntil: null });
 * const answer = await streams.createNewResumableStream("answer-7", (signal) => askModel(signal));
 * const again = await streams.resumeExistingStream("answer-7");
 * await streams.cancelExistingStream("answer-7");
 */
export function createResumableStreamContext(
  options: ResumableStreamContextOptions,
): ResumableStreamContext {
  const { waitUntil, replayFinished = true, mergeMs = 100 } = options;
  const { keyPrefix = "resumable-stream" } = options;
  checkWorkSettings({ mergeMs });
  const streams = new StreamRuns(options, keyPrefix);

  const produce = (
    streamId: string,
    makeStream: MakeStream,
  ): Promise<ReadableStream<string> | RunEventsError> =>
    produceText(streams, { waitUntil, mergeMs }, streamId, makeStream);

  async function resume(
    streamId: string,
    skipCharacters: number,
  ): Promise<ReadableStream<string> | null | undefined> {
    const runId = await streams.runIdOf(streamId);
    const run = await streams.find(runId);
    if (run === null) return undefined;
    if (run.runStatus === "completed" && !replayFinished) return null;
    return readText(streams, runId, Math.max(0, Math.trunc(skipCharacters) || 0));
  }

  return {
    async resumableStream(streamId, makeStream, skipCharacters = 0) {
      for (;;) {
        const made = await produce(streamId, makeStream);
        if (made instanceof ReadableStream) return made;
        const existing = await resume(streamId, skipCharacters);
        // It may have been removed meanwhile.
        if (existing !== undefined) return existing;
      }
    },
    async createNewResumableStream(streamId, makeStream) {
      for (;;) {
        const made = await produce(streamId, makeStream);
        if (made instanceof ReadableStream) return made;
        if (made.code === "claimed") throw made;
        await streams.remove(await streams.runIdOf(streamId));
      }
    },
    resumeExistingStream: (streamId, skipCharacters = 0) => resume(streamId, skipCharacters),
    async hasExistingStream(streamId) {
      const run = await streams.find(await streams.runIdOf(streamId));
      if (run === null) return null;
      return run.finishedAt === null ? true : "DONE";
    },
    cancelExistingStream: (streamId) => streams.cancel(streamId),
  };
}

import type { RunEvents, WorkOptions } from "@tm/run-events-core";
import { checkWorkSettings } from "../runs/check-options.ts";
import type { ProduceOptions } from "./produce-run.ts";
import { shownBy } from "./shown-failure.ts";
import { StreamRuns } from "../runs/stream-runs.ts";

/** Settings of `createChats` and `createThreads`, which record the answers of a model or an agent. */
export interface RecordOptions {
  /** The runs, on any store. Each answer is one of them. The id of its chat or thread is the topic. */
  readonly runs: RunEvents;
  /**
   * The time that the answer of a process that died stays live, in milliseconds: 1,000 to 3,600,000. Readers get its end after one and a half
   * times this, at most.
   * @defaultValue 10,000
   */
  readonly leaseMs?: number | undefined;
  /**
   * The time that a piece of a text waits for others before it is written, in milliseconds: 0 to 10,000. The longer, the fewer events an answer
   * has. Its first piece does not wait.
   * @defaultValue 250
   */
  readonly mergeMs?: number | undefined;
  /**
   * Returns what the user may read of an error that was thrown; `undefined` for "An error occurred." An error that the stream itself
   * reports, as `error` or `RUN_ERROR`, keeps its text, up to 1,000 UTF-16 units.
   * @defaultValue always "An error occurred."
   */
  readonly describeError?: ((error: unknown) => string | undefined) | undefined;
  /**
   * Keeps the program alive until the promise is settled, such as `after` of Next.js. If it throws, nothing is recorded.
   * @defaultValue none
   */
  readonly waitUntil?: ((promise: Promise<unknown>) => unknown) | undefined;
}

/**
 * Finds the runs of each owner.
 * @param prefix that of `StreamRuns`: one for each import of this package
 * @throws TypeError for options that no work takes
 */
export function ownersOf(
  options: RecordOptions,
  prefix: string,
): (owner: { readonly ownerId: string }) => StreamRuns {
  checkWorkSettings(options);
  const { runs, leaseMs } = options;
  return ({ ownerId }) => new StreamRuns({ runs, leaseMs, ownerId }, prefix);
}

/** The settings for producing the run of an answer. @param merge joins its neighbouring pieces */
export function produceOptionsOf(
  options: RecordOptions,
  merge: NonNullable<WorkOptions["merge"]>,
): ProduceOptions {
  const { mergeMs = 250, waitUntil } = options;
  return { mergeMs, merge, waitUntil, describeError: shownBy(options.describeError) };
}

import { describeValue } from "../rules/describe-value.ts";
import type { Merges } from "./merge-events.ts";

/** The longest wait for events to merge, in milliseconds. @see clause W41 in `WIRE.md` of `@tm/run-events-http` */
const MAX_MERGE_MS = 10_000;

/** Options of a worker. */
export interface WorkOptions {
  /** The time that the lease lasts without a renewal, in milliseconds: 1,000 to 3,600,000. It is renewed each time a third of it has passed. */
  readonly leaseMs: number;
  /**
   * The worker's name, which snapshots of the run show while the worker has it: 1 to 100 characters, none of them a control character.
   * @defaultValue `null`: no name
   * @see clause W44 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly worker?: string | null | undefined;
  /** Shuts the worker down: its run's `signal` aborts with the reason, and another worker may continue the run. */
  readonly signal?: AbortSignal | undefined;
  /**
   * For each event type whose emitted events may be merged, the function that makes one payload of two or more: `{ TOKEN: (texts: string[]) =>
   * texts.join("") }`. Neighbouring events that wait to be sent then become one event. Events are not merged across another type or an
   * `append`, or beyond the largest or deepest payload. If a function throws, or returns what is not JSON, the events that wait are appended as
   * they are, and then the work stops, as it does after an event that cannot be appended.
   * @defaultValue no type: each emitted event is one event of the run
   * @see clause W41 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly merge?: Merges | undefined;
  /**
   * The time that the first emitted event of an append waits for others, in milliseconds: 0 to 10,000. An `append` ends the wait, and so
   * do events that have to wait for room. With 0, events gather only while the append before them is under way.
   * @defaultValue 0
   * @see clause W41 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly mergeMs?: number | undefined;
  /**
   * The effect on the run if the worker shuts down before the task completes it. `release` lets another worker continue it. `fail`
   * ends it with `RUN_FAILED` and `{ reason: "shutdown" }`.
   * @defaultValue `release`
   * @see clause W42 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly onShutdown?: "release" | "fail" | undefined;
  /**
   * Returns what the owner may read of the error that a task threw: the `message` of `RUN_FAILED`, besides `{ reason: "error" }`. With
   * `undefined` there is no message, and neither is there if the function throws. An error of a provider may hold an address or a key, so
   * by default the owner reads no message.
   * @defaultValue no message
   * @see clause W43 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly describeError?: ((error: unknown) => string | undefined) | undefined;
}

/**
 * Checks the options of emitted events.
 * @throws TypeError unless they can be used
 */
export function checkEmitOptions({
  merge = {},
  mergeMs = 0,
}: Pick<WorkOptions, "merge" | "mergeMs">): void {
  for (const [eventType, one] of Object.entries(merge)) {
    if (one !== undefined && typeof one !== "function") {
      throw new TypeError(
        `Expected merge.${eventType} to be a function of payloads, got ${typeof one}.`,
      );
    }
  }
  if (!Number.isSafeInteger(mergeMs) || mergeMs < 0 || mergeMs > MAX_MERGE_MS) {
    throw new TypeError(
      `Expected \`mergeMs\` to be 0 to ${MAX_MERGE_MS} milliseconds, got ${describeValue(mergeMs)}.`,
    );
  }
}

/**
 * Checks the options of a worker's end.
 * @throws TypeError unless they can be used
 */
export function checkEndOptions({
  onShutdown,
  describeError,
}: Pick<WorkOptions, "onShutdown" | "describeError">): void {
  if (onShutdown !== undefined && onShutdown !== "release" && onShutdown !== "fail") {
    throw new TypeError(
      `Expected \`onShutdown\` to be "release" or "fail", got ${describeValue(onShutdown)}.`,
    );
  }
  if (describeError !== undefined && typeof describeError !== "function") {
    throw new TypeError(
      `Expected \`describeError\` to be a function of the error, got ${describeValue(describeError)}.`,
    );
  }
}

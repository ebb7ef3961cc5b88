import type { Merges } from "./merge-events.ts";

/** The longest wait for events to merge, in milliseconds. @see W41 */
export const MAX_MERGE_MS = 10_000;

/** How emitted events gather for an append. */
export interface EmitOptions {
  /**
   * For each event type whose emitted events may be merged, the function that makes one payload of two: `{ TOKEN: (a: string, b: string) =>
   * a + b }`. Neighbouring events that wait to be sent then become one event. Events are not merged across another type, an `append`,
   * or the largest payload. A function that throws, or returns what is not JSON, stops the work as an event that cannot be appended.
   * @defaultValue no type: each emitted event is one event of the run
   * @see W41
   */
  readonly merge?: Merges | undefined;
  /**
   * How long the first emitted event of an append waits for others, in milliseconds: 0 to 10,000. An `append` ends the wait. Without
   * a wait, events gather while the append before them is on its way.
   * @defaultValue 0 for `work`, 50 for `startRun`
   * @see W41
   */
  readonly mergeMs?: number | undefined;
}

/** @throws TypeError unless the options can be used */
export function checkEmitOptions({ merge = {}, mergeMs = 0 }: EmitOptions): void {
  for (const [eventType, one] of Object.entries(merge)) {
    if (one !== undefined && typeof one !== "function") {
      throw new TypeError(
        `Expected merge.${eventType} to be a function of two payloads, got ${typeof one}.`,
      );
    }
  }
  if (!Number.isSafeInteger(mergeMs) || mergeMs < 0 || mergeMs > MAX_MERGE_MS) {
    throw new TypeError(
      `Expected \`mergeMs\` to be 0 to ${MAX_MERGE_MS} milliseconds, got ${mergeMs}.`,
    );
  }
}

import { describeValue } from "./describe-value.ts";

/** Whose runs a call may see. */
export interface OwnerOption {
  /**
   * The owner of the run. Runs of other owners behave as if they did not exist. Without it, the call may see every run.
   * @see clause W4 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly ownerId?: string;
}

/**
 * The owner that a call names; `null` if it names none.
 * @throws TypeError unless `ownerId` is well-formed text without U+0000, and not empty. It may be left out, but not be `undefined`:
 * a missing session must not see every run
 */
export function ownerIdOf(options: OwnerOption): string | null {
  checkOptions(options, "{ ownerId }");
  if (!("ownerId" in options)) return null;
  checkOwnerId(options.ownerId);
  return options.ownerId;
}

/**
 * Accepts text that every store keeps as it is. A database stores all lone surrogates as the same text, so two owners would be one.
 * @throws TypeError unless it is a string of well-formed Unicode without U+0000, and not empty
 */
export function checkOwnerId(ownerId: unknown): asserts ownerId is string {
  const isText = typeof ownerId === "string" && ownerId.isWellFormed() && !ownerId.includes("\0");
  if (!isText || ownerId === "") {
    throw new TypeError(
      `Expected \`ownerId\` to be well-formed text without U+0000, and not empty, got ${describeValue(ownerId)}. Pass the id of the user whose run it is.`,
    );
  }
}

/** @throws TypeError unless the options of a call are an object, such as `shape` */
export function checkOptions(options: unknown, shape: string): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Expected an object such as ${shape}, got ${describeValue(options)}.`);
  }
}

/**
 * The key of a call in a queue that keeps the order of each owner's calls for a run. With the run alone as the key, calls of a
 * stranger, which are refused, would delay the owner's calls.
 */
export function runAsAsked(call: {
  readonly runId: string;
  readonly ownerId: string | null;
}): string {
  // No run id has a space.
  return call.ownerId === null ? call.runId : `${call.runId} ${call.ownerId}`;
}

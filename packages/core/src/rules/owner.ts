import { describeValue } from "./describe-value.ts";

/** Whose runs a call may see. */
export interface OwnerOption {
  /** Treat a run of anybody else as not there. Left out, every run may be seen. @see W4 */
  readonly ownerId?: string;
}

/**
 * The owner that a call asks for, `null` if it asks for none.
 * @throws TypeError as `checkOwnerId`; also if `ownerId` is there and undefined: a missing session must not see every run.
 */
export function ownerIdOf(options: OwnerOption): string | null {
  checkOptions(options, "{ ownerId }");
  if (!("ownerId" in options)) return null;
  checkOwnerId(options.ownerId);
  return options.ownerId;
}

/**
 * Lets pass what every store keeps as it is: a database makes the same text of all lone surrogates, and two owners one.
 * @throws TypeError unless it is a string of well-formed Unicode without U+0000, and not empty.
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
 * The run as one owner asks for it: the key of a queue whose order is each owner's own. By the run alone, what a stranger asks of a
 * run, to be refused, would stand in front of what its owner asks.
 */
export function runAsAsked(call: {
  readonly runId: string;
  readonly ownerId: string | null;
}): string {
  // No run id has a space.
  return call.ownerId === null ? call.runId : `${call.runId} ${call.ownerId}`;
}

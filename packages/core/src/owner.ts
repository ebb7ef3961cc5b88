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
  if (!("ownerId" in options)) return null;
  checkOwnerId(options.ownerId);
  return options.ownerId;
}

/**
 * Lets pass what every store keeps as it is: a database makes the same text of all lone surrogates, and two owners one.
 * @throws TypeError unless it is a string of well-formed Unicode without U+0000.
 */
export function checkOwnerId(ownerId: unknown): asserts ownerId is string {
  if (typeof ownerId !== "string" || !ownerId.isWellFormed() || ownerId.includes("\0")) {
    throw new TypeError(
      `Expected \`ownerId\` to be well-formed text without U+0000, got \`${String(ownerId)}\`.`,
    );
  }
}

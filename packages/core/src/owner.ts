/** Whose runs a call may see. */
export interface OwnerOption {
  /** Treat a run of anybody else as not there. Left out, every run may be seen. @see W4 */
  readonly ownerId?: string;
}

/**
 * The owner that a call asks for, `null` if it asks for none.
 * @throws TypeError if `ownerId` is there and no string: a missing session must not see every run.
 */
export function ownerIdOf(options: OwnerOption): string | null {
  if (!("ownerId" in options)) return null;
  const { ownerId } = options;
  if (typeof ownerId !== "string") {
    throw new TypeError(`Expected \`ownerId\` to be a string, got \`${String(ownerId)}\`.`);
  }
  return ownerId;
}

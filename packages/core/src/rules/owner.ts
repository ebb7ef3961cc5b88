import { describeValue } from "./describe-value.ts";

/** The owner of the run that a call is about. */
export interface OwnerOption {
  /**
   * The owner of the run. A run is found by its owner and its id: two owners may have the same id, and neither can tell.
   * @see clause W4 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly ownerId: string;
}

/**
 * The owner that a call names.
 * @throws TypeError unless `ownerId` is well-formed text without U+0000, and not empty
 */
export function ownerIdOf(options: OwnerOption): string {
  checkOptions(options, "{ ownerId }");
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

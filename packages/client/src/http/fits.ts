/** Whether a JSON value is of one kind. */
export type Check = (value: unknown) => boolean;

/** The least that a JSON object must have: a check for each member. */
export type Shape = Readonly<Record<string, Check>>;

/** A text. */
export const isText: Check = (value) => typeof value === "string";

/** The sequence of an event, or 0 before the first one. */
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

/** The sequence of an event, or a fence. */
export const isPositive: Check = (value) => value !== 0 && isCount(value);

/** A text, in a member that may be `null` or missing. */
export const isTextIfAny: Check = (value) => isText(value ?? "");

/** A count, in a member that may be `null` or missing. */
export const isCountIfAny: Check = (value) => isCount(value ?? 0);

/** Whether parsed JSON is an object of this shape. A later server may send further members, of any name. */
export function fits(value: unknown, shape: Shape): boolean {
  if (typeof value !== "object" || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.entries(shape).every(([name, check]) => check(members[name]));
}

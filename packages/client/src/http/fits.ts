/** Whether a JSON value is of one kind. */
export type Check = (value: unknown) => boolean;

/** The least that a JSON object must have: a check, or a shape, for each member. A list has a shape for its items. */
export type Shape = Readonly<{ [name: string]: Check | Shape | readonly [Shape] }>;

/** A text. */
export const isText: Check = (value) => typeof value === "string";

export const isFlag: Check = (value) => typeof value === "boolean";

/** The sequence of an event, or 0 before the first one. */
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

/** The sequence of an event, or a fence. */
export const isPositive: Check = (value) => value !== 0 && isCount(value);

/** A text, in a member that may be `null` or missing. */
export const isTextIfAny: Check = (value) => isText(value ?? "");

/** A count, in a member that may be `null` or missing. */
export const isCountIfAny: Check = (value) => isCount(value ?? 0);

/** Whether parsed JSON is of this kind. A later server may send further members, of any name. */
export function fits(value: unknown, kind: Check | Shape | readonly [Shape]): boolean {
  if (typeof kind === "function") return kind(value);
  if (isListOf(kind)) return Array.isArray(value) && value.every((one) => fits(one, kind[0]));
  if (typeof value !== "object" || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.entries(kind).every(([name, one]) => fits(members[name], one));
}

function isListOf(kind: Shape | readonly [Shape]): kind is readonly [Shape] {
  return Array.isArray(kind);
}

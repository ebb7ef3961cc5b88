import { describeValue, kindOf } from "./describe-value.ts";

/** Built-in objects that JSON writes as `{}`, and what to pass instead. */
const LOST: ReadonlyMap<string, string> = new Map([
  ["Error", "Pass { message: error.message }."],
  ["Map", "Pass Object.fromEntries(map), or [...map]."],
  ["Set", "Pass [...set]."],
  ["WeakMap", "Pass what is in it."],
  ["WeakSet", "Pass what is in it."],
  ["Promise", "Await it first."],
  ["RegExp", "Pass its source."],
  ["ArrayBuffer", "Pass it as text, such as base64."],
]);

/**
 * Why JSON cannot represent a value; `null` if it can. Checks only the value itself: its contents are written as `JSON.stringify`
 * does.
 */
export function lossOf(value: unknown): string | null {
  const isLost =
    typeof value === "number"
      ? !Number.isFinite(value)
      : typeof value === "function" || typeof value === "symbol";
  if (isLost) {
    return `Expected a JSON value, got ${describeValue(value)}. Pass null or a string.`;
  }
  if (typeof value !== "object" || value === null || "toJSON" in value) return null;
  const kind = kindOf(value);
  const advice = LOST.get(kind);
  return advice === undefined
    ? null
    : `Expected a JSON value, got an object of the kind ${kind}, which JSON writes as {}. ${advice}`;
}

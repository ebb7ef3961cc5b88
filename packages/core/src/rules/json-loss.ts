import { describeValue, kindOf } from "./describe-value.ts";

/** Built-in objects that JSON writes as `{}`. */
const LOST: ReadonlySet<string> = new Set([
  "Error",
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "Promise",
  "RegExp",
  "ArrayBuffer",
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
  return LOST.has(kind)
    ? `Expected a JSON value, got an object of the kind ${kind}, which JSON writes as {}. Pass what is in it, as plain values.`
    : null;
}

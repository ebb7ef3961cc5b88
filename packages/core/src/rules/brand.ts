/**
 * Marks of this package's own values. They are registered symbols, which all copies of the package in a process share. So each
 * copy recognizes the other's errors, texts and logs.
 */
export const ERROR: unique symbol = /* @__PURE__ */ Symbol.for("@tm/run-events-core/error");
export const JSON_TEXT: unique symbol = /* @__PURE__ */ Symbol.for("@tm/run-events-core/json-text");
export const RUN_LOG: unique symbol = /* @__PURE__ */ Symbol.for("@tm/run-events-core/run-log");
/** On an error: the store was closed. */
export const CLOSED: unique symbol = /* @__PURE__ */ Symbol.for("@tm/run-events-core/closed");

/** Whether the value is an object that carries the mark. */
export function hasBrand(value: unknown, brand: symbol): boolean {
  return typeof value === "object" && value !== null && brand in value;
}

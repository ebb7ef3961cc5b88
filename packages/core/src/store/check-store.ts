import { describeValue, isPromise } from "../rules/describe-value.ts";
import type { RunEventStore } from "./store.ts";

const METHODS = ["append", "change", "close", "list", "probe", "read", "subscribe"] as const;

/**
 * Accepts a value with the shape of a store.
 * @throws TypeError with what came instead, and what to do
 */
export function checkStore(store: unknown): asserts store is RunEventStore {
  const members = Object(store) as Partial<RunEventStore>;
  const missing = METHODS.filter((name) => typeof members[name] !== "function");
  if (missing.length === 0) return;
  if (isPromise(store)) {
    throw new TypeError(
      "Expected `store` to be a store, got a promise of one. Await it first: `store: await openRedisStore(…)`.",
    );
  }
  const lacks = typeof store === "object" && store !== null ? ` without ${missing.join(", ")}` : "";
  throw new TypeError(
    `Expected \`store\` to be a store, got ${describeValue(store)}${lacks}. Pass the result of a store's own function, such as \`createMemoryStore()\`, of the same version as this package.`,
  );
}

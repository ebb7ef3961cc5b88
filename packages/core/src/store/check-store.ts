import { describeValue, isPromise } from "../rules/describe-value.ts";
import type { RunEventStore } from "./store.ts";

const METHODS: readonly (keyof RunEventStore)[] = [
  "append",
  "claim",
  "close",
  "createRun",
  "deleteRun",
  "getRun",
  "listExpired",
  "listIdle",
  "listRuns",
  "probe",
  "purge",
  "read",
  "release",
  "renew",
  "subscribe",
];

/**
 * Accepts a value with the shape of a store.
 * @throws TypeError with what came instead, and what to do
 */
export function checkStore(store: unknown): asserts store is RunEventStore {
  if (isPromise(store)) {
    throw new TypeError(
      "Expected `store` to be a store, got a promise of one. Await it first: `store: await openRedisStore(…)`.",
    );
  }
  if (typeof store !== "object" || store === null) {
    throw new TypeError(
      `Expected \`store\` to be a store, got ${describeValue(store)}. Open one first, such as \`createMemoryStore()\`.`,
    );
  }
  const members = store as Readonly<Record<string, unknown>>;
  const missing = METHODS.filter((name) => typeof members[name] !== "function");
  const { capabilities } = members;
  const lacks = typeof capabilities === "object" && capabilities !== null ? [] : ["capabilities"];
  if (missing.length + lacks.length > 0) {
    throw new TypeError(
      `Expected \`store\` to be a store, got ${describeValue(store)} without ${[...lacks, ...missing].join(", ")}. Pass the result of a store's own function, of the same version as this package.`,
    );
  }
}

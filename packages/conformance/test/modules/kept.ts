import type { ConformanceOptions } from "@tm/run-events-conformance";
import { createMemoryStore } from "@tm/run-events-core";

/** A store that keeps the contract, as an author's module names it. */
export const conformance: ConformanceOptions = {
  name: "memory",
  profile: "quick",
  open: () => createMemoryStore(),
};

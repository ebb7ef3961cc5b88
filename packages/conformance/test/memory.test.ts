import { runEventStoreConformance } from "@tm/run-events-conformance";
import { createMemoryStore } from "@tm/run-events-core";
import { describe, it } from "vitest";

describe("the memory store", () => {
  const cases = runEventStoreConformance({ name: "memory", open: () => createMemoryStore() });
  for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
});

import { runEventStoreConformance } from "@tm/run-events-conformance";
import { createMemoryStore } from "@tm/run-events-core";
import { describe, it } from "vitest";

describe("the memory store", () => {
  const cases = runEventStoreConformance({ name: "memory", open: () => createMemoryStore() });
  for (const { name, run } of cases) it(name, run, 60_000);
});

import { runEventStoreConformance } from "@tm/run-events-conformance";
import { describe, it } from "vitest";
import { sharedMemoryDoors } from "./shared-memory.ts";

describe("store objects on common data in memory", () => {
  const cases = runEventStoreConformance({ name: "shared memory", ...sharedMemoryDoors() });
  for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
});

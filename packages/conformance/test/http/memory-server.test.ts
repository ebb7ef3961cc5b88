import { runHttpConformance } from "@tm/run-events-conformance/http";
import { describe, it } from "vitest";
import { memoryServerDoors } from "./memory-server.ts";

describe("the handler over the memory store", () => {
  const cases = runHttpConformance({ name: "memory", ...memoryServerDoors() });
  for (const { name, run } of cases) it(name, run, 60_000);
});

import { runReaderConformance } from "@tm/run-events-conformance/http";
import { describe, it } from "vitest";
import { follow } from "./follow.ts";
import { memoryServerDoors } from "./memory-server.ts";

describe("a reader made of eventsource-client", () => {
  const cases = runReaderConformance({ name: "client", follow, ...memoryServerDoors() });
  for (const { name, run } of cases) it(name, run, 60_000);
});

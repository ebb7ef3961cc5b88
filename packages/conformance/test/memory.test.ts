import { testEventStore } from "@tm/run-events-conformance/vitest";
import { createMemoryStore } from "@tm/run-events-core";

testEventStore({
  name: "the memory store",
  open: () => createMemoryStore(),
});

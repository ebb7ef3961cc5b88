import { createMemoryStore } from "@tm/run-events-core";

export const conformance = {
  name: "memory",
  open: () => createMemoryStore(),
};

import type { ConformanceOptions } from "@tm/run-events-conformance";
import { createMemoryStore } from "@tm/run-events-core";

/** A store that never answers an append, and says what becomes of it. */
export const conformance: ConformanceOptions = {
  name: "hanging",
  open: () => ({
    ...createMemoryStore(),
    append() {
      console.log("asked");
      // Something to wait for, as a server's answer is.
      setInterval(() => {}, 60_000);
      return new Promise(() => {});
    },
  }),
  destroy: () => console.log("destroyed"),
};

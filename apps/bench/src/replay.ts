import { measureOnEachStore } from "./on-each-store.ts";
import { measureStore } from "./replay-store.ts";
import type { Section } from "./report.ts";

/** What a long log costs the server that replays it, by live stream and page by page. */
export const replay: Section = {
  name: "replay",
  question: "What does an event cost the server that replays a log of 100,000?",
  run: (scale) =>
    measureOnEachStore(["sqlite", "memory", "postgres", "redis"], (start, store, location) =>
      measureStore(scale, start, store, location),
    ),
};

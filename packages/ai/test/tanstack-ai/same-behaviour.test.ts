import { memoryStream } from "@tanstack/ai";
import { runEventsStream } from "../../src/tanstack-ai.ts";
import { LOCAL } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { sameBehaviour } from "./same-behaviour.ts";

for (const [name, create] of LOCAL) {
  const place = usePlace(create);
  sameBehaviour(name, async (firstChunkDeadlineMs) => {
    const runs = await place.open();
    return (source) => runEventsStream(source, { runs, firstChunkDeadlineMs });
  });
}

// The library's own stream passes the same tests, so they say what it does.
sameBehaviour(
  "itself",
  async (firstChunkDeadlineMs) => (source) => memoryStream(source, { firstChunkDeadlineMs }),
);

import { runEventsStream } from "../../src/tanstack-ai.ts";
import { SERVERS } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { sameBehaviour } from "./same-behaviour.ts";

for (const [name, create] of SERVERS) {
  const place = usePlace(create);
  sameBehaviour(name, async (firstChunkDeadlineMs) => {
    const runs = await place.open();
    return (source) => runEventsStream(source, { runs, firstChunkDeadlineMs });
  });
}

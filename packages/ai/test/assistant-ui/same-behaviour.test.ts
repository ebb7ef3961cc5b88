import { createInMemoryResumableStreamStore } from "assistant-stream/resumable";
import { createRunEventsResumableStreamStore } from "../../src/assistant-ui.ts";
import { LOCAL } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { sameBehaviour } from "./same-behaviour.ts";

for (const [name, create] of LOCAL) {
  const place = usePlace(create);
  sameBehaviour(name, async () =>
    createRunEventsResumableStreamStore({
      runs: await place.open(),
      keyPrefix: crypto.randomUUID(),
    }),
  );
}

// The library's own store passes the same tests, so they say what it does.
sameBehaviour("its own, in memory", async () => createInMemoryResumableStreamStore());

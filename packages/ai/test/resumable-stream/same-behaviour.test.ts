import { createResumableStreamContext } from "../../src/resumable-stream.ts";
import { LOCAL } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { sameBehaviour } from "./same-behaviour.ts";

for (const [name, create] of LOCAL) {
  const place = usePlace(create);
  sameBehaviour(name, async () =>
    createResumableStreamContext({
      runs: await place.open(),
      keyPrefix: crypto.randomUUID(),
      replayFinished: false,
    }),
  );
}

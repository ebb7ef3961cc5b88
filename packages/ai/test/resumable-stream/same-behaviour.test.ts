import type { ResumableStreamContext as UpstreamContext } from "resumable-stream/generic";
import { createResumableStreamContext } from "../../src/resumable-stream.ts";
import { LOCAL } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { sameBehaviour } from "./same-behaviour.ts";

for (const [name, create] of LOCAL) {
  const place = usePlace(create);
  // Code that has the library's type takes this one.
  sameBehaviour(name, async (): Promise<UpstreamContext> =>
    createResumableStreamContext({
      runs: await place.open(),
      keyPrefix: crypto.randomUUID(),
      replayFinished: false,
    }),
  );
}

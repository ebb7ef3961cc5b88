// A process that runs a case, for a test to kill.
import { runProcessConformance } from "@tm/run-events-conformance/processes";
import type { OtherPlace } from "./open-otherwise.ts";

const [first] = runProcessConformance<OtherPlace>({
  name: "waiting",
  module: new URL("open-otherwise.ts", import.meta.url),
  prepare: () => ({ kind: "waiting", port: Number(process.argv[2]) }),
  workers: 2,
});
await first?.run();

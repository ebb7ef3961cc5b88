import { describeHost } from "../probe/describe-host.ts";
import { startOnBun } from "../probe/start-host.ts";

describeHost({
  name: "Bun.serve",
  packages: ["bun"],
  start: () => startOnBun("bun.mjs"),
});

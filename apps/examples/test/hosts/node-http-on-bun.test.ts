import { describeHost } from "../probe/describe-host.ts";
import { startOnBun } from "../probe/start-host.ts";

describeHost({
  name: "node:http on Bun",
  packages: ["bun"],
  start: () => startOnBun("node-http.mjs"),
});

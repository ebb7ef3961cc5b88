import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

describeHost({
  name: "node:http",
  packages: ["node"],
  start: () => startOnNode("node-http.mjs"),
});

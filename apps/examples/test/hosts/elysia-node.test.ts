import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

describeHost({
  name: "Elysia on Node",
  packages: ["elysia", "@elysiajs/node", "node"],
  start: () => startOnNode("elysia-node.mjs"),
});

import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

describeHost({
  name: "Koa",
  packages: ["koa", "node"],
  start: () => startOnNode("koa.mjs"),
});

import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

describeHost({
  name: "AdonisJS",
  packages: ["@adonisjs/core", "node"],
  start: () => startOnNode("adonis.mjs"),
  own: { "broken escape": "its own 400" },
});

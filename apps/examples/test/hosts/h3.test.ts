import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

describeHost({
  name: "h3",
  packages: ["h3", "node"],
  start: () => startOnNode("h3.mjs"),
  own: { "broken escape": "its own 400" },
});

import { describeHost } from "../probe/describe-host.ts";
import { startOnDeno } from "../probe/start-host.ts";

describeHost({
  name: "Deno.serve",
  packages: ["deno"],
  start: () => startOnDeno("deno.mjs"),
});

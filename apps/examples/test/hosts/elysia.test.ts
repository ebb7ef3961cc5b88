import { describeHost } from "../probe/describe-host.ts";
import { startOnBun } from "../probe/start-host.ts";

describeHost({
  name: "Elysia on Bun",
  packages: ["elysia", "bun"],
  start: () => startOnBun("elysia.mjs"),
});

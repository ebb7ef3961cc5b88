import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

describeHost({
  name: "NestJS on Express",
  packages: ["@nestjs/platform-express", "node"],
  start: () => startOnNode("nest.mjs"),
});

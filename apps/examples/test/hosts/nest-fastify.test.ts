import { describeHost } from "../probe/describe-host.ts";
import { startOnNode } from "../probe/start-host.ts";

describeHost({
  name: "NestJS on Fastify",
  packages: ["@nestjs/platform-fastify", "node"],
  start: () => startOnNode("nest-fastify.mjs"),
  own: { "broken escape": "its own 400" },
});

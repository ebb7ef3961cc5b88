import { describeHost, type HostTrial } from "../probe/describe-host.ts";
import { startOnBun, startOnDeno, startOnNode } from "../probe/start-host.ts";
import { startWorker } from "../probe/start-worker.ts";

const OWN_400 = { "broken escape": "its own 400" };

/** The hosts whose recipe is one file that a runtime starts. */
const HOSTS: readonly HostTrial[] = [
  {
    name: "AdonisJS",
    packages: ["@adonisjs/core", "node"],
    start: () => startOnNode("adonis.mjs"),
    own: OWN_400,
  },
  { name: "Bun.serve", packages: ["bun"], start: () => startOnBun("bun.mjs") },
  { name: "Deno.serve", packages: ["deno"], start: () => startOnDeno("deno.mjs") },
  {
    name: "Durable Object",
    packages: ["workerd"],
    start: () => startWorker("durable-object.mjs", "RunEvents"),
    exitCode: null,
    own: {
      "held poll, left": "when its wait is over",
      "SSE left": "at the next heartbeat",
      SIGTERM: "ends at once",
    },
  },
  {
    name: "Elysia on Node",
    packages: ["elysia", "@elysiajs/node", "node"],
    start: () => startOnNode("elysia-node.mjs"),
  },
  { name: "Elysia on Bun", packages: ["elysia", "bun"], start: () => startOnBun("elysia.mjs") },
  { name: "h3", packages: ["h3", "node"], start: () => startOnNode("h3.mjs"), own: OWN_400 },
  { name: "Koa", packages: ["koa", "node"], start: () => startOnNode("koa.mjs") },
  {
    name: "NestJS on Express",
    packages: ["@nestjs/platform-express", "node"],
    start: () => startOnNode("nest.mjs"),
  },
  {
    name: "NestJS on Fastify",
    packages: ["@nestjs/platform-fastify", "node"],
    start: () => startOnNode("nest-fastify.mjs"),
    own: OWN_400,
  },
  { name: "node:http", packages: ["node"], start: () => startOnNode("node-http.mjs") },
  { name: "node:http on Bun", packages: ["bun"], start: () => startOnBun("node-http.mjs") },
];

for (const host of HOSTS) describeHost(host);

import { runProcessConformance } from "@tm/run-events-conformance/processes";
import { type RedisServer, startRedis } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { PrefixPlace } from "./open-in-process.ts";

describe("the Redis store on redis-server with ioredis, in many processes", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({
      program: "redis-server",
      settings: ["--appendfsync", "always"],
    });
  });
  afterAll(() => server.close());

  const cases = runProcessConformance<PrefixPlace>({
    name: "redis-server with ioredis",
    module: new URL("open-in-process.ts", import.meta.url),
    // Keys go with the server, which is this file's own.
    prepare: () => ({ url: server.url, prefix: crypto.randomUUID() }),
    crash: {
      kill: () => server.kill(),
      restart: () => server.start(),
    },
    execArgv: ["-C", "@tm/source"],
  });
  for (const { name, run } of cases) it(name, run);
});

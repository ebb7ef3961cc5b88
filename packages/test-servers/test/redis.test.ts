import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { REDIS_PROGRAMS, startRedis, type RedisOptions, type RedisServer } from "../src/index.ts";

describe.each(REDIS_PROGRAMS)("%s", (program) => {
  it("answers, and by default forgets and evicts nothing", async () => {
    const { url } = await open({ program });
    const client = connect(url);
    expect(await client.ping()).toBe("PONG");
    const names = ["appendonly", "appendfsync", "save", "maxmemory-policy"];
    const settings = await client.config("GET", ...names);
    expect(Object.fromEntries(pairs(settings as readonly string[]))).toEqual({
      appendonly: "yes",
      appendfsync: "everysec",
      save: "",
      "maxmemory-policy": "noeviction",
    });
  });

  it("does not start twice", async () => {
    const server = await open({ program });
    await expect(server.start()).rejects.toThrow(TypeError);
  });
});

async function open(options: RedisOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.close());
  return server;
}

function connect(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => null });
  onTestFinished(() => client.disconnect());
  return client;
}

function pairs(flat: readonly string[]): readonly (readonly [string, string])[] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ""] as const] : []));
}

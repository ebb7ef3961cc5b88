import { existsSync } from "node:fs";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { REDIS_PROGRAMS, startRedis, type RedisOptions, type RedisServer } from "../src/index.ts";
import { listens } from "../src/listens.ts";

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

  it("takes more settings, which override the defaults", async () => {
    const { url } = await open({ program, settings: ["--appendfsync", "always"] });
    expect(await connect(url).config("GET", "appendfsync")).toEqual(["appendfsync", "always"]);
  });

  it("keeps what was written over a kill, on the same port", async () => {
    const server = await open({ program, settings: ["--appendfsync", "always"] });
    await connect(server.url).set("kept", "1");
    expect(server.running).toBe(true);
    await server.kill();
    expect(server.running).toBe(false);
    expect(await listens(server.port)).toBe(false);
    await server.start();
    expect(await connect(server.url).get("kept")).toBe("1");
  });

  it("leaves neither process nor folder, and closes twice as well as once", async () => {
    const server = await open({ program });
    const [, folder = ""] = (await connect(server.url).config("GET", "dir")) as readonly string[];
    expect(existsSync(folder)).toBe(true);
    await Promise.all([server.close(), server.close()]);
    expect(await listens(server.port)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  it("does not start twice", async () => {
    const server = await open({ program });
    await expect(server.start()).rejects.toThrow(TypeError);
  });

  it("fails with what the program printed when it does not start", async () => {
    await expect(open({ program, settings: ["--appendfsync", "perhaps"] })).rejects.toThrow(
      /appendfsync/,
    );
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

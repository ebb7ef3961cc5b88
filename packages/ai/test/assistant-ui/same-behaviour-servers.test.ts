import { startRedis, type RedisServer } from "@tm/run-events-test-servers";
import { createIoredisResumableStreamStore } from "assistant-stream/resumable/ioredis";
import { Redis } from "ioredis";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { sameBehaviour } from "./same-behaviour.ts";

let server: RedisServer | undefined;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.close());

// The library's own store passes the same tests, so they say what it does.
sameBehaviour("its own, on Redis", async () => {
  const redis = new Redis(server?.url ?? "");
  onTestFinished(async () => void (await redis.quit()));
  return createIoredisResumableStreamStore(redis, {
    keyPrefix: crypto.randomUUID(),
    pollIntervalMs: 5,
  });
});

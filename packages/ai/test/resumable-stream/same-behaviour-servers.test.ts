import { startRedis, type RedisServer } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { createResumableStreamContext } from "resumable-stream/generic";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { sameBehaviour } from "./same-behaviour.ts";

let server: RedisServer | undefined;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server?.close());

function connect(): Redis {
  const redis = new Redis(server?.url ?? "");
  onTestFinished(async () => void (await redis.quit()));
  return redis;
}

// The library itself passes the same tests, so they say what it does.
sameBehaviour("resumable-stream itself, on Redis", async () =>
  createResumableStreamContext({
    waitUntil: null,
    keyPrefix: crypto.randomUUID(),
    subscriber: connect(),
    publisher: connect(),
  }),
);

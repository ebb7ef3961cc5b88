import { startRedis, type RedisServer } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import {
  createResumableStreamContext as createUpstreamContext,
  type ResumableStreamContext as UpstreamContext,
} from "resumable-stream/generic";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { createResumableStreamContext } from "../../src/resumable-stream.ts";
import { SERVERS } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { sameBehaviour } from "./same-behaviour.ts";

for (const [name, create] of SERVERS) {
  const place = usePlace(create);
  // Code that has the library's type takes this one.
  sameBehaviour(name, async (): Promise<UpstreamContext> =>
    createResumableStreamContext({
      runs: await place.open(),
      keyPrefix: crypto.randomUUID(),
      replayFinished: false,
    }),
  );
}

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
  createUpstreamContext({
    waitUntil: null,
    keyPrefix: crypto.randomUUID(),
    subscriber: connect(),
    publisher: connect(),
  }),
);

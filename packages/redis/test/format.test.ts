import { expect, it } from "vitest";
import { openRedisStore } from "../src/index.ts";
import { connect, openServer } from "./opened.ts";

const refused = { code: "store_unavailable", retryable: false };

it("S19: a prefix whose keys have a later number is refused, also by the next probe", async () => {
  const redis = connect(await openServer());
  const store = await openRedisStore(redis);
  expect(await redis.hgetall("run-events:format")).toEqual({ format: "2" });
  await redis.hset("run-events:format", "format", "3");
  const newer = { ...refused, message: expect.stringContaining("the newer format 3") };
  await expect(openRedisStore(redis)).rejects.toMatchObject(newer);
  await expect(store.probe()).rejects.toMatchObject(newer);
});

it("S19, S31: a full server with a numbered prefix can be opened, so that a purge can free it", async () => {
  const redis = connect(await openServer());
  await openRedisStore(redis);
  await redis.config("SET", "maxmemory", "1");
  await openRedisStore(redis);
});

import { inspect } from "node:util";
import { createRunEvents } from "@tm/run-events-core";
import { startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { openRedisStore } from "../src/index.ts";

it("S20: no error shows the payload of an append that Redis refused", async () => {
  const server = await startRedis();
  onTestFinished(() => server.close());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const runs = createRunEvents({ store: await openRedisStore(redis) });
  onTestFinished(() => runs.close());
  const { runId } = await runs.create({ ownerId: "ada" });
  await runs.append(runId, [{ eventType: "RUN_STARTED" }]);

  await admin.acl("SETUSER", "default", "-evalsha", "-eval");
  const refused = runs.append(runId, [{ eventType: "TOKEN", payload: "hunter2" }]);
  const error: unknown = await refused.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "store_unavailable",
    retryable: false,
    cause: { name: "ReplyError", message: expect.stringContaining("NOPERM") },
  });
  expect(inspect(error, { depth: null })).not.toContain("hunter2");
});

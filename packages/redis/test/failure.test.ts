import { inspect } from "node:util";
import { REDIS_PROGRAMS, startRedis } from "@tm/run-events-test-servers";
import { createOf } from "@tm/run-events-test-servers/requests";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { openRedisStore, runsOf } from "./ruled-store.ts";

it("S20: no error shows the payload of an append that Redis refused", async () => {
  const server = await startRedis();
  onTestFinished(() => server.close());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const runs = runsOf(await openRedisStore(redis));
  const { runId } = await runs.create({});
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

it.each(REDIS_PROGRAMS)(
  "S20: a right that the user of %s lacks is no passing failure, also within a script",
  async (program) => {
    const server = await startRedis({ program });
    onTestFinished(() => server.close());
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    const store = await openRedisStore(admin);
    onTestFinished(() => store.close());
    const refused = {
      code: "store_unavailable",
      retryable: false,
      message: expect.stringContaining("grant the rights"),
    };
    for (const command of ["time", "get", "set", "evalsha"]) {
      await admin.acl("SETUSER", "default", `-${command}`);
      await expect(store.createRun(createOf(command))).rejects.toMatchObject(refused);
      await admin.acl("SETUSER", "default", `+${command}`);
      expect(await store.createRun(createOf(command))).toMatchObject({ outcome: "created" });
    }
  },
);

import { REDIS_PROGRAMS, startRedis } from "@tm/run-events-test-servers";
import { createOf } from "@tm/run-events-test-servers/requests";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { openRedisStore } from "./ruled-store.ts";

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

import { startRedisSentinel } from "@tm/run-events-test-servers";
import { playFailover } from "@tm/run-events-test-servers/failover";
import { Redis } from "ioredis";
import { it, onTestFinished } from "vitest";
import { openRedisStore } from "../../src/index.ts";
import { owned } from "../opened.ts";
import { hasCaughtUp } from "./lagging-replica.ts";

/** Every acknowledged write is on disk, so that a crash alone loses nothing: this test is about failovers. */
const SETTINGS = ["--appendfsync", "always"];

/*
 * Redis replicates after its acknowledgements, so a failover may lose what was acknowledged, and no store can prevent it. This test leaves
 * out that loss: before the master ends, it holds writes back until its replica has all that it has acknowledged. Writes that are sent
 * meanwhile are in doubt, and in flight when the master ends.
 */
it("S1-S10, S21: when Sentinel promotes the replica of a killed master, each answer is explained by one order of the calls", async () => {
  const sentinel = await startRedisSentinel(SETTINGS);
  onTestFinished(() => sentinel.close());
  const connectTo = (): Redis =>
    owned(
      new Redis({
        sentinels: [...sentinel.sentinels],
        name: sentinel.name,
        sentinelRetryStrategy: () => 50,
        retryStrategy: () => 10,
      }),
    );
  await playFailover({
    async open() {
      const store = await openRedisStore(connectTo());
      onTestFinished(() => store.close());
      return store;
    },
    async fail() {
      const master = connectTo();
      await master.call("CLIENT", "PAUSE", 60_000, "WRITE");
      await hasCaughtUp(master);
      await sentinel.killMaster();
    },
  });
});

import { REDIS_PROGRAMS } from "@tm/run-events-test-servers";
import { expectRoomForTheEnd } from "@tm/run-events-test-servers/last-sequence";
import { it } from "vitest";
import { openServer, openStore } from "./opened.ts";

it.each(REDIS_PROGRAMS)(
  "S1: no append passes the last safe integer, which a run keeps for its end: %s",
  async (program) => {
    const { redis, store } = await openStore(await openServer({ program }));
    await expectRoomForTheEnd(store, async (runId, sequence) => {
      const run = `run-events:{run:${runId}}`;
      const [[id, fields] = ["", []]] = await redis.xrange(`${run}:events`, "-", "+");
      await redis.xdel(`${run}:events`, id);
      await redis.xadd(`${run}:events`, `${sequence}-0`, ...fields);
      await redis.hset(`${run}:head`, "lastSequence", sequence);
    });
  },
);

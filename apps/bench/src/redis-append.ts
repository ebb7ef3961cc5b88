import { type RedisServer, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { type AppendWriter, CALLERS, checkCount } from "./append-writer.ts";
import type { startChild } from "./child.ts";
import { describeRedis } from "./redis-log.ts";
import type { Report, Scale, Section } from "./report.ts";
import { costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { withServer } from "./with-server.ts";

/** A rewrite of the file comes at every doubling, takes a core for itself, and meets whoever's turn it is. */
const NO_REWRITE = ["--auto-aof-rewrite-percentage", "0"];

/** Appends through Redis, against one script an append that makes the same writes. */
export const redisAppend: Section = {
  name: "redis-append",
  question: `How many single-event appends a second do ${CALLERS} concurrent callers get from Redis?`,
  run: (scale) =>
    withServer(startRedis({ settings: NO_REWRITE }), (redis, start) =>
      measureAppends(scale, redis, start),
    ),
};

async function measureAppends(
  { quick, rounds }: Scale,
  { url }: RedisServer,
  start: typeof startChild,
): Promise<Report> {
  const load = { appends: quick ? 640 : 25_600, callers: CALLERS, runs: CALLERS };
  const ours = start<AppendWriter>(new URL("redis-append-ours.ts", import.meta.url), url);
  const bare = start<AppendWriter>(new URL("redis-append-bare.ts", import.meta.url), url);
  const costs = await takeTurns(rounds, {
    ours: () => ours.call("append", load),
    bare: () => bare.call("append", load),
  });
  for (const writer of [ours, bare]) await checkCount(writer, (rounds + 1) * load.appends);
  const redis = new Redis(url);
  try {
    return {
      targets: [
        {
          name: `${CALLERS} runs: ours / bare, appends a second`,
          unit: "×",
          values: ratios(wallMicros(costs.bare), wallMicros(costs.ours)),
          bound: 0.9,
          kind: "at least",
        },
      ],
      figures: [
        ...costFigures("ours", "append", costs.ours),
        ...costFigures("bare", "append", costs.bare),
      ],
      notes: [
        await describeRedis(redis),
        "Each prefix holds the events that were acknowledged, each run its own without a gap.",
      ],
    };
  } finally {
    redis.disconnect();
  }
}

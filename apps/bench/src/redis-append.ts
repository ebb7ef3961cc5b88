import { type RedisServer, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { type AppendLoad, type AppendWriter, CALLERS, checkCount } from "./append-writer.ts";
import { type startChild, withServer } from "./child.ts";
import { describeRedis, readServerMicros } from "./redis-log.ts";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { type Cost, costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";

/** A rewrite of the file comes at every doubling, takes a core for itself, and slows the subject that runs then. */
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

/** What a round took in the process under test, and in the server meanwhile. */
interface RedisCost extends Cost {
  readonly serverMicros: number;
}

async function measureAppends(
  { quick, rounds }: Scale,
  { url }: RedisServer,
  start: typeof startChild,
): Promise<Report> {
  const appends = quick ? 640 : 25_600;
  const spread = { appends, callers: CALLERS, runs: CALLERS };
  const hot = { appends, callers: CALLERS, runs: 1 };
  const module = new URL("redis-append-subjects.ts", import.meta.url);
  const ours = start<AppendWriter>(module, "ours", url);
  const bare = start<AppendWriter>(module, "bare", url);
  const redis = new Redis(url);
  async function measure(writer: typeof ours, load: AppendLoad): Promise<RedisCost> {
    const before = await readServerMicros(redis);
    const cost = await writer.call("append", load);
    return { ...cost, serverMicros: (await readServerMicros(redis)) - before };
  }
  try {
    const costs = await takeTurns(rounds, {
      ours: () => measure(ours, spread),
      bare: () => measure(bare, spread),
      oursHot: () => measure(ours, hot),
      bareHot: () => measure(bare, hot),
    });
    for (const writer of [ours, bare]) await checkCount(writer, 2 * (rounds + 1) * appends);
    return {
      targets: [
        {
          name: `${CALLERS} runs: ours / bare, appends a second`,
          unit: "×",
          values: ratios(wallMicros(costs.bare), wallMicros(costs.ours)),
          bound: 1,
          kind: "at least",
        },
      ],
      figures: [
        ...figuresOf(`ours, ${CALLERS} runs`, costs.ours),
        ...figuresOf(`bare, ${CALLERS} runs`, costs.bare),
        ...figuresOf("ours, one run", costs.oursHot),
        ...figuresOf("bare, one run", costs.bareHot),
      ],
      notes: [
        await describeRedis(redis),
        "Each prefix holds the events that were acknowledged, each run its own without a gap.",
        "The server's CPU is that of its main thread, which runs the scripts and writes the append-only file.",
      ],
    };
  } finally {
    redis.disconnect();
  }
}

function figuresOf(name: string, costs: readonly RedisCost[]): readonly Figure[] {
  return [
    ...costFigures(name, "append", costs),
    {
      name: `${name}, the server's CPU`,
      unit: "µs/append",
      values: costs.map(({ serverMicros, units }) => serverMicros / units),
    },
  ];
}

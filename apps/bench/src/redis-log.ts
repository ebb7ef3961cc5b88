import { crc32 } from "node:zlib";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { openRedisStore } from "@tm/run-events-redis";
import type { Redis } from "ioredis";
import { CALLERS, OWNER, runIdOf } from "./append-writer.ts";

/** Over how many hash tags the store spreads the owners. */
const BUCKETS = 64;

/** The names of a run's keys, as the store has them. That of the head is also the run's channel. */
export function keysOf(
  prefix: string,
  ownerId: string,
  runId: string,
): Readonly<Record<"head" | "events" | "receipts", string>> {
  const bucket = `${prefix}:{${crc32(ownerId) % BUCKETS}}`;
  const run = `${runId}:${ownerId}`;
  return {
    head: `${bucket}:head:${run}`,
    events: `${bucket}:events:${run}`,
    receipts: `${bucket}:receipts:${run}`,
  };
}

/** The last sequence of a run, which is the third number of its head. */
export async function readLastSequence(redis: Redis, head: string): Promise<number> {
  return Number((await redis.get(head))?.split(" ", 3)[2]);
}

/** Makes this many runs under the prefix. */
export async function createLog(redis: Redis, prefix: string): Promise<RunEvents> {
  const runs = createRunEvents({ store: await openRedisStore(redis, { prefix }) });
  for (let index = 0; index < CALLERS; index++) {
    await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
  }
  return runs;
}

/**
 * Counts the events under a prefix.
 * @throws unless every run has the events 1 … `lastSequence`, each with a key of its own.
 */
export async function countEvents(redis: Redis, prefix: string): Promise<number> {
  let count = 0;
  for (let index = 0; index < CALLERS; index++) {
    const { head, events, receipts } = keysOf(prefix, OWNER, runIdOf(index));
    const lastSequence = await readLastSequence(redis, head);
    const [last] = await redis.xrevrange(events, "+", "-", "COUNT", 1);
    const lastId = Number(last?.[0].split("-")[0] ?? 0);
    const held = [await redis.xlen(events), lastId, await redis.hlen(receipts)];
    if (held.some((one) => one !== lastSequence)) {
      throw new Error(`A run of ${lastSequence} events has ${held.join(", ")}.`);
    }
    count += lastSequence;
  }
  return count;
}

/** The server's version and what it does with a write, in one line. */
export async function describeRedis(redis: Redis): Promise<string> {
  const version = /^(?:redis|valkey)_version:.*$/m.exec(await redis.info("server"))?.[0].trim();
  const settings = await redis.config("GET", "appendonly", "appendfsync");
  return `Redis: ${version}, ${String(settings)}.`;
}

/** Microseconds of processor time that the server's main thread has taken so far. */
export async function readServerMicros(redis: Redis): Promise<number> {
  const facts = await redis.info("cpu");
  const seconds = [...facts.matchAll(/^used_cpu_(?:user|sys)_main_thread:(.*)$/gm)];
  return 1e6 * seconds.reduce((sum, [, value]) => sum + Number(value), 0);
}

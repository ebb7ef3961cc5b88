// What the kit's processes open, each with a client of its own.
import type { RunEventStore } from "@tm/run-events-core";
import { Redis } from "ioredis";
import { openRedisStore } from "../src/index.ts";

/** A prefix on a server. */
export interface PrefixPlace {
  readonly url: string;
  readonly prefix: string;
}

export async function open({ url, prefix }: PrefixPlace): Promise<RunEventStore> {
  const redis = new Redis(url);
  // The server is crashed; whoever sends a command learns of it.
  redis.on("error", () => {});
  return openRedisStore(redis, { prefix });
}

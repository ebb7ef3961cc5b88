import { createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import { type KitStore, kitStore, OWNER } from "../../conformance/src/kit-store.ts";
import {
  openRedisStore as openStore,
  type RedisClient,
  type RedisClusterClient,
  type RedisStoreOptions,
} from "../src/index.ts";

/** A store with core's rules in front of it, whose outcomes are values, so that a test can make single calls. */
export type RedisStore = KitStore;

/** Opens a store. */
export async function openRedisStore(
  redis: RedisClient | RedisClusterClient,
  options?: RedisStoreOptions,
): Promise<RedisStore> {
  return kitStore(await openStore(redis, options));
}

/** The runs of the tests' owner, through core. */
export function runsOf({ inner }: RedisStore): OwnedRuns {
  return createRunEvents({ store: inner }).as(OWNER);
}

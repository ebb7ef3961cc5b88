import { type RunEventsError, type RunRecord, storeClosed } from "@tm/run-events-core";
import { isCluster, type RedisClient, type RedisClusterClient } from "./driver.ts";
import { clientClosed, isUnknownScript, storeFailure } from "./failure.ts";
import { HEAD_FIELDS, parseHead } from "./head.ts";
import type { Keys } from "./keys.ts";
import type { Script } from "./script.ts";

/** The caller's client, as the store uses it. */
export interface Connection {
  readonly redis: RedisClient | RedisClusterClient;
  readonly keys: Keys;
  /**
   * Runs a script. Those of one turn are on their way before the first answer comes, each by itself: so each finds its node
   * of a cluster, also while slots move.
   */
  run(script: Script, keys: readonly string[], values: readonly string[]): Promise<unknown>;
  /** The command that rings a bell. */
  readonly ring: "PUBLISH" | "SPUBLISH";
  /** A run as it stands, `null` if there is none. */
  head(runId: string): Promise<RunRecord | null>;
  /**
   * Does the work of one call of the store.
   * @throws RunEventsError `store_unavailable` for what the client threw, or after `close`. @see S20
   */
  perform<T>(work: () => Promise<T>): Promise<T>;
  /** Why no call can be made any more, `null` if one can. */
  refusal(): RunEventsError | null;
  /** Refuses all further calls; those under way go on. The client stays open: it is the caller's. @see S18 */
  close(): void;
}

/** Wraps a client. */
export function createConnection(redis: RedisClient | RedisClusterClient, keys: Keys): Connection {
  let closed = false;

  function refusal(): RunEventsError | null {
    if (closed) return storeClosed();
    return redis.status === "end" ? clientClosed() : null;
  }

  return {
    redis,
    keys,
    // In a cluster a message of PUBLISH goes to every node, one of SPUBLISH only to those that have the slot.
    ring: isCluster(redis) ? "SPUBLISH" : "PUBLISH",
    async run({ lua, sha1 }, scriptKeys, values) {
      try {
        return await redis.evalsha(sha1, scriptKeys.length, [...scriptKeys, ...values]);
      } catch (error) {
        // A server that has just started, was promoted or told to forget its scripts.
        if (!isUnknownScript(error)) throw error;
        return redis.eval(lua, scriptKeys.length, [...scriptKeys, ...values]);
      }
    },
    head: async (runId) =>
      parseHead(runId, await redis.hmget(keys.ofRun(runId).head, ...HEAD_FIELDS)),
    refusal,
    async perform(work) {
      const refused = refusal();
      if (refused !== null) throw refused;
      try {
        return await work();
      } catch (error) {
        throw storeFailure(error);
      }
    },
    close() {
      closed = true;
    },
  };
}

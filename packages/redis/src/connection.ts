import type { RunEventsError } from "@tm/run-events-core";
import { storeClosed } from "@tm/run-events-core/store";
import { isCluster, type RedisClient, type RedisClusterClient } from "./driver.ts";
import {
  clientClosed,
  isOutOfMemory,
  isUnknownScript,
  mayHaveLanded,
  storeFailure,
} from "./failure.ts";
import type { Keys } from "./keys.ts";
import type { Script } from "./scripts/script.ts";

/** The caller's client, as the store uses it. */
export interface Connection {
  readonly redis: RedisClient | RedisClusterClient;
  readonly keys: Keys;
  /**
   * Runs a script. Scripts of one turn are sent before the first answer comes, each by itself. So each finds its node of a
   * cluster, even while slots move.
   */
  run(script: Script, keys: readonly string[], values: readonly string[]): Promise<unknown>;
  /**
   * Runs a script that changes runs. Also throws what a full server answers.
   * @throws RunEventsError `store_unavailable`; `ambiguous` if the change may have landed
   * @see clause S7 in `STORE.md`
   */
  change(script: Script, keys: readonly string[], values: readonly string[]): Promise<unknown>;
  /** The command that publishes a notification. */
  readonly notify: "PUBLISH" | "SPUBLISH";
  /**
   * Does the work of one call of the store.
   * @throws RunEventsError `store_unavailable` for what the client threw, or after `close`
   * @see clause S20 in `STORE.md`
   */
  perform<T>(work: () => Promise<T>): Promise<T>;
  /** Why no call can be made any more, or `null`. */
  refusal(): RunEventsError | null;
  /**
   * Refuses all later calls; those under way continue. The client stays open: it is the caller's.
   * @see clause S18 in `STORE.md`
   */
  close(): void;
}

/** Wraps a client. */
export function createConnection(redis: RedisClient | RedisClusterClient, keys: Keys): Connection {
  let closed = false;

  function refusal(): RunEventsError | null {
    if (closed) return storeClosed();
    return redis.status === "end" ? clientClosed() : null;
  }

  async function run(
    { lua, sha1 }: Script,
    scriptKeys: readonly string[],
    values: readonly string[],
  ): Promise<unknown> {
    try {
      return await redis.evalsha(sha1, scriptKeys.length, [...scriptKeys, ...values]);
    } catch (error) {
      // The server has just started, was promoted, or got `SCRIPT FLUSH`.
      if (!isUnknownScript(error)) throw error;
      return redis.eval(lua, scriptKeys.length, [...scriptKeys, ...values]);
    }
  }

  return {
    redis,
    keys,
    // In a cluster a message of PUBLISH goes to every node, one of SPUBLISH only to those that have the slot.
    notify: isCluster(redis) ? "SPUBLISH" : "PUBLISH",
    run,
    async change(script, scriptKeys, values) {
      try {
        return await run(script, scriptKeys, values);
      } catch (error) {
        throw isOutOfMemory(error) ? error : storeFailure(error, mayHaveLanded(error));
      }
    },
    refusal,
    async perform(work) {
      const refused = refusal();
      if (refused !== null) throw refused;
      try {
        return await work();
      } catch (error) {
        const failure = storeFailure(error);
        throw redis.status === "end" && failure.retryable ? clientClosed(failure) : failure;
      }
    },
    close() {
      closed = true;
    },
  };
}

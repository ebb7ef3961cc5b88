import { describeValue } from "@tm/run-events-core/wire";
import type { RedisClient } from "../driver.ts";
import { NodeRedisChannels } from "./channels.ts";
import type { NodeRedisClient } from "./driver.ts";

/** Makes replies texts and numbers, even if the client maps types. */
const PLAIN = { typeMapping: {} };

/** The message of an error from the server: its first word is in capitals. */
const REPLY = /^[A-Z]+ /;
/** node-redis' messages for a connection that was lost after it had sent the command. */
const LOST = /^Socket (closed|timeout)/;
/** The most times that a command is sent: the number of ioredis, which sends it again 20 times by default. */
const MOST_SENDINGS = 21;

/**
 * Makes a client for `openRedisStore` from one of node-redis. The store sends its commands on it, and opens a second one for channels.
 *
 * @param client a connected client of `createClient` of `redis`. Clusters, Sentinel and pools cannot be used
 * @throws TypeError for any other value, or for a client that is not connected
 * @example
 * const client = await createClient({ url: "redis://127.0.0.1:6379" }).on("error", console.error).connect();
 * const store = await openRedisStore(fromNodeRedis(client));
 */
export function fromNodeRedis(client: NodeRedisClient): RedisClient {
  checkNodeRedis(client);
  const keyPrefix = String(client.options.keyPrefix ?? "");

  /**
   * Sends a command. If the connection breaks before the answer, the command is sent again, as ioredis does: all commands of the store may
   * be repeated. An error with which the server has answered gets the name `ReplyError`.
   */
  async function send(...args: readonly string[]): Promise<unknown> {
    for (let sendings = 1; ; sendings++) {
      try {
        return await client.sendCommand([...args], PLAIN);
      } catch (error) {
        if (isLost(error) && client.isOpen && sendings < MOST_SENDINGS) continue;
        if (error instanceof Error && REPLY.test(error.message)) error.name = "ReplyError";
        throw error;
      }
    }
  }

  /** Sends a script. node-redis adds the prefix to no key of `sendCommand`. */
  function run(
    command: "EVALSHA" | "EVAL",
    script: string,
    count: number,
    values: readonly string[],
  ): Promise<unknown> {
    const keys = values.slice(0, count).map((key) => keyPrefix + key);
    return send(command, script, String(count), ...keys, ...values.slice(count));
  }

  return {
    get status() {
      return client.isOpen ? "ready" : "end";
    },
    options: { keyPrefix },
    evalsha: (sha1, count, values) => run("EVALSHA", sha1, count, values),
    eval: (lua, count, values) => run("EVAL", lua, count, values),
    info: async (section) => String(await send("INFO", section)),
    config: (subcommand, parameter) => send("CONFIG", subcommand, parameter),
    duplicate: (options) => new NodeRedisChannels(client, options),
  };
}

/** Whether the connection broke before the answer. The system's errors have a code. */
function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return LOST.test(error.message) || "syscall" in error;
}

function checkNodeRedis(client: unknown): asserts client is NodeRedisClient {
  const members = Object(client) as Readonly<Record<string, unknown>>;
  const { sendCommand, duplicate, options, isOpen } = members;
  const isClient =
    typeof sendCommand === "function" &&
    typeof duplicate === "function" &&
    typeof options === "object" &&
    // A cluster and Sentinel have another order of parameters, or no `duplicate` with such settings.
    !("masters" in members) &&
    !("getMasterNode" in members);
  if (isClient && isOpen === true) return;
  // A URL may have a password.
  const came = typeof client === "string" ? "a text" : describeValue(client);
  throw new TypeError(
    `Expected a connected client of one server, \`await createClient({ url }).connect()\` of node-redis; for a cluster or Sentinel, pass a client of ioredis to \`openRedisStore\`. Got ${isClient ? "one that is not connected" : came}.`,
  );
}

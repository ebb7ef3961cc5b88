import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HOST } from "./free-port.ts";
import { askRedis } from "./redis-command.ts";
import { findRedis, startRedis } from "./redis.ts";
import { startOnFreePort, type StartedServer } from "./server-process.ts";
import { waitUntil } from "./wait-until.ts";
import { createWorkFolder } from "./work-folder.ts";

/** A master, its replica, and the sentinel that puts the replica in the master's place. */
export interface RedisSentinel {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The name of the master, to ask a sentinel for. */
  readonly name: string;
  /** SIGKILL to the master of the start. Resolves once it is gone; the replica takes its place later. */
  killMaster(): Promise<void>;
  /** Ends all and deletes their folders. Idempotent. */
  close(): Promise<void>;
}

const MASTER_NAME = "events";

/**
 * Starts a master, a replica and one sentinel on free ports of 127.0.0.1, and waits until the sentinel
 * could replace the master. It takes a master for gone after one silent second.
 *
 * @param more words for the command lines of the master and the replica
 * @throws Error with what one of them said, if it does not start
 */
export async function startRedisSentinel(more: readonly string[] = []): Promise<RedisSentinel> {
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((server) => server.close()));
  };
  try {
    const settings = ["--repl-diskless-sync-delay", "0", ...more];
    const master = await startRedis({ settings });
    opened.push(master);
    const replicaOf = ["--replicaof", `${HOST} ${master.port}`];
    opened.push(await startRedis({ settings: [...settings, ...replicaOf] }));
    await waitUntil("the replica follows the master", async () =>
      (await askRedis(master.port, "INFO", "replication")).includes("state=online"),
    );
    const sentinel = await startSentinel(master.port);
    opened.push(sentinel.process);
    await waitUntil("the sentinel knows the replica", async () =>
      (await askRedis(sentinel.port, "SENTINEL", "REPLICAS", MASTER_NAME)).includes(
        "master-link-status,ok",
      ),
    );
    return {
      sentinels: [{ host: HOST, port: sentinel.port }],
      name: MASTER_NAME,
      killMaster: () => master.kill(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startSentinel(masterPort: number): Promise<StartedServer> {
  const folder = await createWorkFolder("sentinel");
  const configFile = join(folder.path, "sentinel.conf");
  const config = [
    `bind ${HOST}`,
    `sentinel monitor ${MASTER_NAME} ${HOST} ${masterPort} 1`,
    `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
    `sentinel failover-timeout ${MASTER_NAME} 5000`,
  ];
  return startOnFreePort(folder, async (port) => {
    await writeFile(configFile, [`port ${port}`, ...config, ""].join("\n"));
    return {
      command: findRedis(),
      args: [configFile, "--sentinel", "--dir", folder.path],
      readyText: "+monitor master",
      endSignal: "SIGKILL",
    };
  });
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { startPostgresIn, type PostgresServer } from "./postgres.ts";
import { runUnprivileged } from "./postgres-programs.ts";
import { POSTGRES_PASSWORD, POSTGRES_USER } from "./postgres-template.ts";
import type { TcpTarget } from "./tcp-proxy.ts";
import { waitUntil } from "./wait-until.ts";
import { createWorkFolder } from "./work-folder.ts";

/**
 * Starts a standby that can be read and follows this primary. The primary is started again for it, which
 * breaks its connections.
 *
 * @param from where the standby reaches the primary, such as a proxy
 * @returns once it accepts connections; what the primary wrote before is there, what it writes later follows
 */
export async function startStandby(
  primary: PostgresServer,
  from: TcpTarget = primary,
): Promise<PostgresServer> {
  const folder = await createWorkFolder("standby");
  const settings = {
    ...primary.settings,
    primary_conninfo: `host=${from.host} port=${from.port} user=${POSTGRES_USER} password=${POSTGRES_PASSWORD}`,
  };
  return startPostgresIn(
    folder,
    { engine: primary.engine, settings, under: [] },
    async (dataFolder) => {
      await primary.stop("fast");
      try {
        await runUnprivileged("cp", ["-Rp", primary.dataFolder, dataFolder], folder);
      } finally {
        await primary.start();
      }
      await writeFile(join(dataFolder, "standby.signal"), "");
    },
  );
}

/**
 * Starts a standby as `startStandby` does, without which the primary acknowledges nothing: it has to have on its disk what the
 * primary commits.
 */
export async function startSynchronousStandby(primary: PostgresServer): Promise<PostgresServer> {
  const standby = await startStandby(primary);
  try {
    await onServer(primary, async (client) => {
      await client.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
      await client.query("SELECT pg_reload_conf()");
      await waitUntil("the standby is synchronous", async () => {
        const { rows } = await client.query(
          "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'",
        );
        return rows.length === 1;
      });
    });
  } catch (error) {
    await standby.close();
    throw error;
  }
  return standby;
}

/** Makes a standby a primary, which takes writes from now on. */
export async function promoteStandby(standby: PostgresServer): Promise<void> {
  await onServer(standby, (client) => client.query("SELECT pg_promote()"));
}

async function onServer(
  server: PostgresServer,
  work: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  POSTGRES_PASSWORD,
  POSTGRES_USER,
  startPostgresIn,
  type PostgresServer,
} from "./postgres.ts";
import { runUnprivileged } from "./postgres-programs.ts";
import { createWorkFolder } from "./work-folder.ts";

/**
 * Starts a standby that can be read and follows this primary. The primary is started again for it, which
 * breaks its connections.
 *
 * @returns once it accepts connections; what the primary wrote before is there, what it writes later follows
 */
export async function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const folder = await createWorkFolder("standby");
  const settings = {
    ...primary.settings,
    primary_conninfo: `host=${primary.host} port=${primary.port} user=${POSTGRES_USER} password=${POSTGRES_PASSWORD}`,
  };
  return startPostgresIn(folder, { engine: primary.engine, settings }, async (dataFolder) => {
    await primary.stop("fast");
    try {
      await runUnprivileged("cp", ["-Rp", primary.dataFolder, dataFolder], folder);
    } finally {
      await primary.start();
    }
    await writeFile(join(dataFolder, "standby.signal"), "");
  });
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import { HOST } from "./free-port.ts";
import { startOnFreePort } from "./server-process.ts";
import { UNPRIVILEGED_USER } from "./unprivileged-user.ts";
import { createWorkFolder } from "./work-folder.ts";

/** Options for starting a PgBouncer. */
export interface PgBouncerOptions {
  /** A url of `startPostgres`. */
  readonly postgresUrl: string;
  /** More of the section `[pgbouncer]`; it overrides the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PgBouncer of its own that pools transactions. */
export interface PgBouncerServer {
  /** The same user, password and database as of the Postgres behind it. */
  readonly url: string;
  /** Ends it and deletes its folder. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a PgBouncer in front of a Postgres, on a free port of 127.0.0.1. Any database of it can be had.
 *
 * @throws Error with what it said, if it does not start
 */
export async function startPgBouncer({
  postgresUrl,
  settings = {},
}: PgBouncerOptions): Promise<PgBouncerServer> {
  const command = findProgram("pgbouncer");
  if (command === null) throw new Error("PgBouncer is not installed: apt-get install pgbouncer");
  const { hostname, port: postgresPort, username, password } = new URL(postgresUrl);
  const folder = await createWorkFolder("pgbouncer");
  const usersFile = join(folder.path, "users.txt");
  const configFile = join(folder.path, "pgbouncer.ini");
  const { port, process } = await startOnFreePort(folder, async (port) => {
    await writeFile(usersFile, `"${username}" "${password}"\n`);
    const entries = Object.entries({
      listen_addr: HOST,
      listen_port: String(port),
      unix_socket_dir: "",
      auth_type: "scram-sha-256",
      auth_file: usersFile,
      pool_mode: "transaction",
      ...settings,
    });
    await writeFile(
      configFile,
      [
        "[databases]",
        `* = host=${hostname} port=${postgresPort}`,
        "[pgbouncer]",
        ...entries.map(([name, value]) => `${name} = ${value}`),
        "",
      ].join("\n"),
    );
    return {
      command,
      args: [configFile],
      readyText: "process up",
      endSignal: "SIGKILL",
      user: UNPRIVILEGED_USER,
    };
  });
  const url = new URL(postgresUrl);
  url.port = String(port);
  return { url: url.href, close: () => process.close() };
}

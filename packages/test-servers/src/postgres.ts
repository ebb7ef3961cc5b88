import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { kill } from "node:process";
import { Client } from "pg";
import { HOST } from "./free-port.ts";
import { runUnprivileged, type PostgresEngine } from "./postgres-programs.ts";
import { POSTGRES_PASSWORD, POSTGRES_USER, templateOf } from "./postgres-template.ts";
import { type ServerProgram, startOnFreePort } from "./server-process.ts";
import { UNPRIVILEGED_USER } from "./unprivileged-user.ts";
import { createWorkFolder, type WorkFolder } from "./work-folder.ts";

/** Options for starting a Postgres. */
export interface PostgresOptions {
  /** Default `"embedded"`. */
  readonly engine?: PostgresEngine;
  /** Server parameters, kept over `stop` and `start`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A command line under which root runs it, such as one that enters the mount namespace of a small disk. */
  readonly under?: readonly string[];
}

/** A Postgres of its own. It sorts text by ICU's en-US, as `a` before `B`, and syncs to disk. */
export interface PostgresServer {
  /** `postgres://user:password@127.0.0.1:PORT/postgres`, as superuser. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly engine: PostgresEngine;
  readonly settings: Readonly<Record<string, string>>;
  /** The data folder's whole path. */
  readonly dataFolder: string;
  /** @returns the url of a new, empty database with a name of its own */
  createDatabase(): Promise<string>;
  /**
   * Ends it: `"fast"` rolls back and writes everything to disk. `"immediate"` is a crash that still sends clients an error. `"kill"`
   * is the loss of its machine: every process ends at once, and clients get nothing. After both the next start recovers. Clients'
   * connections break in any case.
   */
  stop(mode: keyof typeof STOP_SIGNALS | "kill"): Promise<void>;
  /**
   * Stops every process at once, like a machine that hangs: connections stay open, and nothing answers.
   *
   * @returns what lets them go on
   */
  freeze(): Promise<() => void>;
  /** Starts it again, on the same port and data, and waits until it accepts connections. */
  start(): Promise<void>;
  /** Ends it and deletes its folder. Idempotent. */
  close(): Promise<void>;
}

const STOP_SIGNALS = { fast: "SIGINT", immediate: "SIGQUIT" } as const;

/**
 * Starts a new Postgres on a free port of 127.0.0.1.
 *
 * @throws Error with what it said, if it does not start
 */
export async function startPostgres({
  engine = "embedded",
  settings = {},
  under = [],
}: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = await createWorkFolder("postgres");
  return startPostgresIn(folder, { engine, settings, under }, async (dataFolder) => {
    const template = await templateOf(engine);
    await runUnprivileged("cp", ["-Rp", template.dataFolder, dataFolder], folder);
  });
}

/** Starts a Postgres on the data folder that `fill` makes. If that fails, the folder is deleted. */
export async function startPostgresIn(
  folder: WorkFolder,
  { engine, settings, under }: Required<PostgresOptions>,
  fill: (dataFolder: string) => Promise<void>,
): Promise<PostgresServer> {
  const dataFolder = join(folder.path, "data");
  const parameters = {
    listen_addresses: HOST,
    unix_socket_directories: "",
    ...settings,
  };
  let filled: Promise<string> | undefined;
  const { port, process } = await startOnFreePort(folder, async (port) => {
    filled ??= fill(dataFolder).then(async () => (await templateOf(engine)).programs);
    const args = ["-D", dataFolder, "-p", String(port), ...encodeParameters(parameters)];
    return {
      ...commandUnder(under, join(await filled, "postgres"), args),
      readyText: "database system is ready to accept",
      endSignal: "SIGQUIT",
    };
  });
  const url = encodePostgresUrl(port, "postgres");
  return {
    url,
    host: HOST,
    port,
    engine,
    settings,
    dataFolder,
    async createDatabase() {
      const name = `test_${randomBytes(6).toString("hex")}`;
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${name}`);
      } finally {
        await client.end();
      }
      return encodePostgresUrl(port, name);
    },
    async stop(mode) {
      if (mode !== "kill") return process.end(STOP_SIGNALS[mode]);
      for (const pid of await freezePostgres(dataFolder)) kill(pid, "SIGKILL");
      return process.end("SIGKILL");
    },
    async freeze() {
      const pids = await freezePostgres(dataFolder);
      return () => pids.forEach((pid) => kill(pid, "SIGCONT"));
    },
    start: () => process.start(),
    close: () => process.close(),
  };
}

/**
 * The command of a program that refuses to run as root. Only root can enter another namespace, so it does so first and then becomes the
 * other user.
 */
function commandUnder(
  under: readonly string[],
  program: string,
  args: readonly string[],
): Pick<ServerProgram, "command" | "args" | "user"> {
  const [command, ...rest] = under;
  if (command === undefined) return { command: program, args, user: UNPRIVILEGED_USER };
  const become =
    UNPRIVILEGED_USER === null
      ? []
      : [
          "setpriv",
          `--reuid=${UNPRIVILEGED_USER.uid}`,
          `--regid=${UNPRIVILEGED_USER.gid}`,
          "--clear-groups",
        ];
  return { command, args: [...rest, ...become, program, ...args], user: null };
}

/**
 * Stops all processes of a Postgres. The first process stops first, so that it starts no more and does not see the others end.
 *
 * Were it killed while others run, those that wait for a standby would give up waiting, and readers would see for a moment
 * what the standby does not have.
 *
 * @returns their ids, the first one's last
 */
async function freezePostgres(dataFolder: string): Promise<readonly number[]> {
  const [first = ""] = (await readFile(join(dataFolder, "postmaster.pid"), "utf8")).split("\n");
  kill(Number(first), "SIGSTOP");
  const children = await readFile(`/proc/${first}/task/${first}/children`, "utf8");
  const others = children.trim().split(" ").map(Number);
  for (const pid of others) kill(pid, "SIGSTOP");
  return [...others, Number(first)];
}

function encodePostgresUrl(port: number, database: string): string {
  return `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@${HOST}:${port}/${database}`;
}

function encodeParameters(parameters: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(parameters).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

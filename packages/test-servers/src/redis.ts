import { findProgram } from "./find-program.ts";
import { HOST } from "./free-port.ts";
import { startOnFreePort } from "./server-process.ts";
import { createWorkFolder } from "./work-folder.ts";

/** A program that speaks Redis. */
export type RedisProgram = "redis-server" | "valkey-server";

/** Options for starting a Redis. */
export interface RedisOptions {
  /** More words for its command line, such as `["--appendfsync", "always"]`; they override the defaults. */
  readonly settings?: readonly string[];
  /** Default `redis-server`. */
  readonly program?: RedisProgram;
  /** A command line under which it runs, such as one that enters the mount namespace of a small disk. */
  readonly under?: readonly string[];
}

/** A Redis of its own. Unless its settings say otherwise, it appends to a file, synced every second, and evicts nothing. */
export interface RedisServer {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Whether its process lives. */
  readonly running: boolean;
  /** SIGKILL: a crash. Resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and data, and waits until it has loaded them. */
  start(): Promise<void>;
  /** Ends it and deletes its folder. Idempotent. */
  close(): Promise<void>;
}

/** The programs of Redis, for suites that run on each. */
export const REDIS_PROGRAMS: readonly RedisProgram[] = ["redis-server", "valkey-server"];

const DEFAULT_SETTINGS = [
  ["--appendonly", "yes"],
  ["--appendfsync", "everysec"],
  ["--save", ""],
  ["--maxmemory-policy", "noeviction"],
].flat();

/**
 * Starts a new Redis on a free port of 127.0.0.1.
 *
 * @throws Error with what it said, if it does not start
 */
export async function startRedis({
  settings = [],
  program,
  under = [],
}: RedisOptions = {}): Promise<RedisServer> {
  const [command, ...words] = [...under, findRedis(program)] as const;
  const folder = await createWorkFolder("redis");
  const { port, process } = await startOnFreePort(folder, (port) => ({
    command,
    args: [
      ...words,
      "--bind",
      HOST,
      "--port",
      String(port),
      "--dir",
      folder.path,
      ...DEFAULT_SETTINGS,
      ...settings,
    ],
    readyText: "Ready to accept connections",
    endSignal: "SIGKILL",
  }));
  return {
    url: `redis://${HOST}:${port}`,
    host: HOST,
    port,
    get running() {
      return process.running;
    },
    kill: () => process.end("SIGKILL"),
    start: () => process.start(),
    close: () => process.close(),
  };
}

/**
 * The whole path of a program that speaks Redis.
 *
 * @throws Error if it is not installed
 */
export function findRedis(program: RedisProgram = "redis-server"): string {
  const path = findProgram(program);
  if (path === null) throw new Error(`${program} is not installed: apt-get install ${program}`);
  return path;
}

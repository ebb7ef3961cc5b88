import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";
import { linesUntil } from "../src/lines-of.ts";

const MAIN = fileURLToPath(new URL("../../server/src/workspace/main.ts", import.meta.url));

const LISTENING = /^listening on (http:\S+)/;

/** The bearer token of `ada`, whom every server here knows. */
export const TOKEN = "a-token-of-ada";

/** Options for starting the reference server. */
export interface ServerOptions {
  readonly storeUrl: string;
  /** The server's variables, besides a free port of 127.0.0.1. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command line to start it under. */
  readonly under?: readonly string[];
  /** The server is killed when this ends. Default: the test. */
  readonly owner?: Owner;
}

/** The reference server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** Freezes the process at once, or lets it go on. */
  freeze(frozen: boolean): void;
  /** Kills it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Shuts it down, and waits until it has ended. @see clause W27 in `WIRE.md` */
  stop(): Promise<void>;
}

function spawnServer(options: ServerOptions): Child {
  const { storeUrl, env = {}, under = [], owner = { onTestFinished } } = options;
  const command = [...under, process.execPath, "-C", "@tm/source", MAIN];
  const child = spawn(command[0] ?? "", command.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      HOST: "127.0.0.1",
      PORT: "0",
      STORE_URL: storeUrl,
      API_TOKENS: `ada=${TOKEN}`,
      ...env,
    },
  });
  owner.onTestFinished(() => kill(child));
  return child;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

async function kill(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** Starts a server and waits until it listens. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const child = spawnServer(options);
  const stderr: Buffer[] = [];
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
  const lines = await linesUntil(child, LISTENING).catch((cause: unknown) => {
    throw new Error(`The server did not start: ${Buffer.concat(stderr).toString()}`, { cause });
  });
  child.stdout.resume();
  return {
    url: LISTENING.exec(lines.at(-1) ?? "")?.[1] ?? "",
    freeze: (frozen) => void child.kill(frozen ? "SIGSTOP" : "SIGCONT"),
    kill: () => kill(child),
    stop: () => kill(child, "SIGTERM"),
  };
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { SystemUser } from "../../../packages/test-servers/src/unprivileged-user.ts";
import { ADA } from "../../server/test/start-server.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");

/** The exit of the command line, and its output. */
export interface CliExit {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in its own process. */
export interface CliProcess {
  readonly process: ChildProcess;
  stdout(): string;
  /** Resolves once standard output has this text. */
  printed(text: string): Promise<void>;
  /** Resolves once standard error has this text. */
  noted(text: string): Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<CliExit>;
}

/**
 * Starts the command line as `ada`. If it still runs when the test has finished, it is killed, with its command.
 * @param env more variables; `null` for one that is not set
 * @param user of the system, if it is another
 */
export function startCli(
  url: string,
  args: readonly string[],
  env: Readonly<Record<string, string | null>> = {},
  user: SystemUser | null = null,
): CliProcess {
  const variables = {
    PATH: globalThis.process.env["PATH"],
    NODE_COMPILE_CACHE: globalThis.process.env["NODE_COMPILE_CACHE"],
    RUN_EVENTS_URL: url,
    RUN_EVENTS_TOKEN: ADA,
    ...env,
  };
  const process = spawn(globalThis.process.execPath, ["-C", "@tm/source", MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    ...user,
    env: Object.fromEntries(
      Object.entries(variables).map(([name, text]) => [name, text ?? undefined]),
    ),
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  process.stdout.on("data", (bytes: Buffer) => out.push(bytes));
  process.stderr.on("data", (bytes: Buffer) => err.push(bytes));
  const stdout = (): string => Buffer.concat(out).toString();
  const stderr = (): string => Buffer.concat(err).toString();
  const ended = once(process, "close").then(() => ({
    exitCode: process.exitCode,
    stdout: stdout(),
    stderr: stderr(),
  }));
  onTestFinished(async () => {
    // Three signals end everything at once. Three equal ones could count as one.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(signal);
    await ended;
  });
  return {
    process,
    stdout,
    ended,
    printed: (text) => expect.poll(stdout, { timeout: 30_000 }).toContain(text),
    noted: (text) => expect.poll(stderr, { timeout: 30_000 }).toContain(text),
  };
}

/** Runs the command line to its end. */
export function runCli(
  url: string,
  args: readonly string[],
  env: Readonly<Record<string, string | null>> = {},
): Promise<CliExit> {
  return startCli(url, args, env).ended;
}

/** The id of the run in the note of `exec`. */
export function runIdIn(stderr: string): string {
  return /recording run (\S+)/.exec(stderr)?.[1] ?? "";
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, onTestFinished } from "vitest";

/** The program that a clone starts. */
export const MAIN: string = join(import.meta.dirname, "../src/workspace/main.ts");

/** The bearer tokens of `ada` and `bob`, the users of every server here. */
export const ADA = "ada-token";
export const BOB = "bob-token";

/**
 * The server's variables; `null` for one that is not set. Those not given are `PORT=0`, a memory store and the two users.
 */
export type ServerEnv = Readonly<Record<string, string | null>>;

/** The owner of something that is started: when the owner ends, that is stopped. Concurrent tests pass their contexts. */
export interface Owner {
  onTestFinished(end: () => Promise<void> | void): void;
}

/** All tests of a file, or of a `describe`, as one owner. Call it outside of the tests. */
export function ownedByAll(): Owner {
  const ends: (() => Promise<void> | void)[] = [];
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });
  return { onTestFinished: (end) => void ends.push(end) };
}

/** The exit of a server's process, and its output. */
export interface ServerExit {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The reference server in a separate process. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** All output so far. */
  stdout(): string;
  stderr(): string;
  /** Sends the signal, and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<ServerExit>;
}

function spawnServer(
  env: ServerEnv,
  folder: string,
  owner: Owner,
  shell: string,
): Omit<ServerProcess, "url" | "port"> {
  const program = [globalThis.process.execPath, "-C", "@tm/source", MAIN];
  const process = spawn("sh", ["-c", `${shell}exec "$0" "$@"`, ...program], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: withoutNull({
      PATH: globalThis.process.env["PATH"],
      NODE_COMPILE_CACHE: globalThis.process.env["NODE_COMPILE_CACHE"],
      PORT: "0",
      STORE_URL: "memory:",
      API_TOKENS: `ada=${ADA},bob=${BOB}`,
      ...env,
    }),
  });
  let stdout = "";
  let stderr = "";
  process.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
  process.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const closed = once(process, "close");
  async function end(signal: NodeJS.Signals): Promise<ServerExit> {
    process.kill(signal);
    await closed;
    return { exitCode: process.exitCode, stdout, stderr };
  }
  owner.onTestFinished(() => end("SIGKILL").then(() => undefined));
  return { process, stdout: () => stdout, stderr: () => stderr, end };
}

function withoutNull(env: Readonly<Record<string, string | null | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, text ?? undefined]));
}

/**
 * Starts a server and waits until it listens. If it still runs when the test has finished, it is killed.
 * @param folder its working folder, for the files that it keeps by default; a new one by default
 * @param shell what the server's shell runs first, such as `ulimit -n 256; `
 */
export async function startServer(
  env: ServerEnv = {},
  folder?: string,
  owner: Owner = { onTestFinished },
  shell = "",
): Promise<ServerProcess> {
  const started = spawnServer(env, folder ?? (await makeTempFolder(owner)), owner, shell);
  const { stdout } = started.process;
  if (stdout === null) throw new TypeError("Expected the server's output");
  for await (const line of createInterface({ input: stdout })) {
    const url = /^listening on (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    stdout.resume();
    return { ...started, url, port: Number(new URL(url).port) };
  }
  throw new Error(`The server did not start: ${started.stderr()}`);
}

/** Starts a server that ends by itself. */
export async function startInVain(env: ServerEnv, folder?: string): Promise<ServerExit> {
  const owner = { onTestFinished };
  const home = folder ?? (await makeTempFolder());
  const { process, stdout, stderr } = spawnServer(env, home, owner, "");
  await once(process, "close");
  return { exitCode: process.exitCode, stdout: stdout(), stderr: stderr() };
}

/** A new folder that is removed after the test. */
export async function makeTempFolder(owner: Owner = { onTestFinished }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-server-"));
  owner.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

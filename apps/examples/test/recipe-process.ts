import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MAX_LIFE_MS = 300_000;

/** A recipe as its user starts it: a process that listens. */
export interface RecipeProcess {
  readonly url: string;
  /** Its standard error so far. */
  stderr(): string;
  /** Sends a signal and waits until it has gone. @returns its exit code, null if the signal ended it */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts a program with these arguments, and waits until it prints where it listens. Its port is any free one, and its database
 * a new one, unless `env` sets them.
 *
 * @throws Error with its output, if it ends before
 */
export async function startRecipeProcess(
  words: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  program: string = process.execPath,
): Promise<RecipeProcess> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-recipe-"));
  const child = spawn(program, words, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    // In case no test ends it.
    timeout: MAX_LIFE_MS,
    killSignal: "SIGKILL",
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      PORT: "0",
      DATABASE: join(folder, "runs.db"),
      NEXT_TELEMETRY_DISABLED: "1",
      ...env,
    },
  });
  const closed = once(child, "close").then(() => rm(folder, { recursive: true }));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const url = await listeningUrl(child.stdout);
  child.stdout.resume();
  if (url === null) {
    await closed;
    throw new Error(`${words.join(" ")} ended before it listened: ${said}`);
  }
  return {
    url,
    stderr: () => said,
    async end(signal) {
      child.kill(signal);
      await closed;
      return child.exitCode;
    },
  };
}

async function listeningUrl(output: NodeJS.ReadableStream): Promise<string | null> {
  for await (const line of createInterface({ input: output })) {
    const url = /(?:listening on:?|Local:) +(http:\S+?)\/?(?: |$)/i.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  return null;
}

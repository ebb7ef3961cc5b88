import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { createEditedFolder, type Edit } from "./edited-folder.ts";

/** A recipe that works on runs, as its user starts it. */
export interface WorkerProcess {
  /** Waits until it has printed these words. @throws Error with its standard error, if it exits before */
  prints(words: string): Promise<void>;
  /** Waits for an effect that is visible outside. @throws Error as `prints` */
  until<T>(seen: Promise<T>): Promise<T>;
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal and waits until it has gone. @returns its exit code, null if the signal ended it */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** The options with which a worker is started. */
export interface WorkerOptions {
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly edits?: readonly Edit[];
}

/** Starts a recipe that works on runs. It is ended when the test has finished. */
export async function startWorker(
  file: string,
  { args = [], env, edits = [] }: WorkerOptions,
): Promise<WorkerProcess> {
  const folder = await createEditedFolder(file, edits);
  const child = spawn(process.execPath, ["-C", "@tm/source", file, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      ...env,
    },
  });
  const closed = once(child, "close").then(() => rm(folder, { recursive: true }));
  const complaints = text(child.stderr);
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (printed += chunk));

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    child.kill(signal);
    await closed;
    return child.exitCode;
  }
  async function failWhenGone(): Promise<never> {
    await closed;
    throw new Error(`${file} went: ${await complaints}`);
  }
  const gone = failWhenGone();
  // It may exit while no test waits for it.
  gone.catch(() => {});
  const until = <T>(seen: Promise<T>): Promise<T> => Promise.race([seen, gone]);
  async function prints(words: string): Promise<void> {
    while (!printed.includes(words)) await until(once(child.stdout, "data"));
  }
  onTestFinished(async () => void (await end("SIGKILL")));
  return { prints, until, signal: (signal) => void child.kill(signal), end };
}

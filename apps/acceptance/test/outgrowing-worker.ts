import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { readSnippet } from "../src/snippets.ts";

const POSTGRES_GUIDE = new URL("../../../docs/guides/postgres.md", import.meta.url);

/** The guide's worker in a process of its own. */
export interface Worker {
  /** Has it append one event, and resolves with its sequence. One at a time. */
  append(runId: string, eventType: string, payload: unknown): Promise<number>;
  /** Says that there is no more work. @returns its exit code */
  finish(): Promise<number | null>;
}

/** Starts a worker; it has connected when it has done its first work. */
export async function startWorker(storeUrl: string): Promise<Worker> {
  // Inside the workspace, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "worker.mjs"), readSnippet(POSTGRES_GUIDE, "worker.mjs"));
  const child = spawn(process.execPath, ["-C", "@tm/source", "worker.mjs"], {
    cwd: folder,
    env: { ...process.env, STORE_URL: storeUrl },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async append(runId, eventType, payload) {
      child.stdin.write(`${runId} ${eventType} ${JSON.stringify(payload)}\n`);
      const { value } = (await lines.next()) as { readonly value?: string };
      const [ofRun, sequence] = value?.split(" ") ?? [];
      if (ofRun !== runId) throw new Error(`The worker said: ${value}`);
      return Number(sequence);
    },
    async finish() {
      child.stdin.end();
      await exited;
      return child.exitCode;
    },
  };
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const PROCESS = fileURLToPath(new URL("chat-process.ts", import.meta.url));

/** The mode of a chat process: see `chat-process.ts`. */
export type Act = "end" | "throw" | "fail" | "create" | "resume" | "sweep" | "hurry";

/** A version of a chat's server, in a process of its own. */
export interface ChatProcess {
  /** Resolves when it prints this line. */
  printed(line: string): Promise<void>;
  /** The next line that it prints. */
  nextLine(): Promise<string | undefined>;
  /** Kills it as a crash would. */
  kill(): Promise<void>;
  /** Shuts it down as a deploy does. @throws Error if it does not end as it should */
  stop(): Promise<void>;
}

export function startChat(storeUrl: string, runId: string, act: Act): ChatProcess {
  const args = ["-C", "@tm/source", PROCESS, storeUrl, runId, act];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  const closed = once(child, "close");
  const complaints = text(child.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await closed;
  }
  async function nextLine(): Promise<string | undefined> {
    const { value } = (await lines.next()) as { readonly value?: string };
    return value;
  }
  onTestFinished(kill);
  return {
    nextLine,
    kill,
    async printed(line) {
      const said: string[] = [];
      for (let next = await nextLine(); next !== line; next = await nextLine()) {
        if (next === undefined) {
          throw new Error(
            `Expected ${line}, the process said: ${said.join("\n")}\n${await complaints}`,
          );
        }
        said.push(next);
      }
    },
    async stop() {
      child.kill("SIGTERM");
      await closed;
      if (child.exitCode !== 0) {
        throw new Error(`It ended with ${child.exitCode ?? child.signalCode}: ${await complaints}`);
      }
    },
  };
}

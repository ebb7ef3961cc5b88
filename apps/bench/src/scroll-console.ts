import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { withTempFolder } from "./temp-folder.ts";

/** The reference server, and on it a run that its console can show. */
export interface ScrollConsole {
  readonly url: string;
  readonly token: string;
  readonly runId: string;
}

const MAIN = join(import.meta.dirname, "../../server/src/main.ts");
const TOKEN = "bench-token";
const BATCH_EVENTS = 1_000;

/** Lends the reference server in a process of its own, with a run of so many events, and ends it. */
export function withConsole(
  events: number,
  use: (lent: ScrollConsole) => Promise<void>,
): Promise<void> {
  return withTempFolder(async (folder) => {
    const server = spawn(process.execPath, ["-C", "@tm/source", MAIN], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        PORT: "0",
        RECORD_SAMPLE: "0",
        STORE_URL: "memory:",
        API_TOKENS: `bench=${TOKEN}`,
      },
    });
    const gone = once(server, "exit");
    const end = (): void => void server.kill("SIGKILL");
    process.once("exit", end);
    try {
      let said = "";
      server.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
      const url = await listeningUrl(server.stdout);
      if (url === null) throw new Error(`The server did not start: ${said}`);
      server.stdout.resume();
      await use({ url, token: TOKEN, runId: await record(url, events) });
    } finally {
      process.off("exit", end);
      end();
      await gone;
    }
  });
}

async function listeningUrl(output: NodeJS.ReadableStream): Promise<string | null> {
  for await (const line of createInterface({ input: output })) {
    const url = /^listening on (http:\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  return null;
}

async function record(url: string, events: number): Promise<string> {
  const runId = "long";
  await post(`${url}/v1/agent-runs`, { runId });
  for (let from = 1; from <= events; from += BATCH_EVENTS) {
    const count = Math.min(BATCH_EVENTS, events - from + 1);
    const batch = Array.from({ length: count }, (_, index) => ({
      eventType: (from + index) % 10 === 0 ? "TOOL_CALLED" : "LOG",
      payload: { index: from + index, words: "what a line of a log says, more or less" },
    }));
    await post(`${url}/v1/agent-runs/${runId}/events`, { events: batch });
  }
  return runId;
}

async function post(url: string, body: unknown): Promise<void> {
  const { status } = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (status !== 201) throw new Error(`${url} answers ${status}.`);
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { findChromium } from "@tm/run-events-test-servers";
import { chromium } from "playwright-core";

/** The pictures of the console that the README shows: `pnpm pictures` in this folder takes them again. */
const PICTURES = join(import.meta.dirname, "../../../docs/images");
const SERVER = join(import.meta.dirname, "../../server/src/workspace/main.ts");
const TOKEN = "a-token";

/** An event's type, its payload, and the milliseconds before it. */
type Step = readonly [eventType: string, payload: unknown, afterMs?: number];

const phase = (name: string, afterMs?: number): Step => [
  "PHASE_STARTED",
  { phase: name },
  afterMs ?? 0,
];
const tokens = (text: string): readonly Step[] =>
  text.split(/(?<= )/).map((token) => ["TOKEN", token, 30]);

const EARLIER: readonly (readonly [title: string, steps: readonly Step[]])[] = [
  [
    "Translate the release notes",
    [phase("translate"), ...tokens("Fixed: a reader that lost its place "), ["RUN_COMPLETED", {}]],
  ],
  [
    "Reconcile the invoices of March",
    [phase("fetch"), ["RUN_FAILED", { message: "The bank's API answered 502." }]],
  ],
  ["Draft the weekly newsletter", [phase("research"), ["RUN_CANCELLED", {}]]],
];

const SHOWN: readonly Step[] = [
  ["RUN_STARTED", { model: "large-2", prompt: "Where can a blue whale be seen?" }],
  phase("plan"),
  ["THOUGHT", "Find sightings first, then the season.", 600],
  phase("search", 300),
  ["TOOL_CALLED", { tool: "search", query: "blue whale sightings" }],
  ["TOOL_ANSWERED", { hits: 3, best: "https://whales.example/iceland" }, 700],
  ["TOOL_RETRY", { tool: "weather", attempt: 2, reason: "timeout" }, 200],
  ["TOOL_ANSWERED", { place: "Húsavík", wind: "calm" }, 500],
  phase("write", 200),
  ...tokens("In June the blue whale comes to the bay of Húsavík, close to the "),
];

const server = spawn(process.execPath, ["-C", "@tm/source", SERVER], {
  stdio: ["ignore", "pipe", "inherit"],
  env: {
    ...process.env,
    PORT: "0",
    STORE_URL: "memory:",
    API_TOKENS: `ada=${TOKEN}`,
    SESSION_SECRET: "a secret for the pictures alone, of no use",
  },
});
const browser = await chromium.launch({ executablePath: findChromium(), chromiumSandbox: false });
try {
  const url = await listeningAt(server.stdout);
  for (const [title, steps] of EARLIER) await record(url, title, steps);
  const runId = await record(url, "Where can a blue whale be seen?", SHOWN);
  for (const colorScheme of ["light", "dark"] as const) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width: 1_160, height: 660 },
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    await page.goto(url);
    await page.getByLabel("Token").fill(TOKEN);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation", { name: "Runs" }).waitFor();
    await page.goto(`${url}/#/runs/${runId}`);
    await page.locator("#event-5").click();
    await page.getByLabel("Payload of event 5").waitFor();
    await page.screenshot({ path: join(PICTURES, `console-${colorScheme}.png`) });
  }
} finally {
  await browser.close();
  server.kill("SIGKILL");
  await once(server, "close");
}

async function listeningAt(stdout: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stdout })) {
    const url = /^listening on (http:\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error("Expected the server to listen.");
}

/**
 * Records a run with this title.
 * @returns its id
 */
async function record(url: string, title: string, steps: readonly Step[]): Promise<string> {
  const { runId } = (await post(`${url}/v1/agent-runs`, { metadata: { title } })) as {
    readonly runId: string;
  };
  for (const [eventType, payload, afterMs = 0] of steps) {
    await pause(afterMs);
    await post(`${url}/v1/agent-runs/${runId}/events`, { events: [{ eventType, payload }] });
  }
  return runId;
}

async function post(url: string, body: unknown): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`Expected ${url} to take the run, got ${answer.status}.`);
  return answer.json();
}

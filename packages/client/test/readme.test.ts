import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRun, post, readLog } from "./api.ts";
import { countBlocks, readSnippet, readSnippets, writeSnippets } from "./snippets.ts";
import { startServer, type TestServer } from "./start-server.ts";

const run = promisify(execFile);
const snippets = writeSnippets();
let server: TestServer;
let baseUrl: string;
beforeAll(async () => {
  server = await startServer();
  baseUrl = `http://127.0.0.1:${server.port}`;
});
afterAll(() => {
  server.close();
  snippets.remove();
});

async function recordRun(): Promise<string> {
  const runId = await createRun(server.port);
  const events = [
    { eventType: "STEP", payload: { words: 2 } },
    { eventType: "STEP", payload: { words: 3 } },
    { eventType: "RUN_COMPLETED" },
  ];
  await post(server.port, `/${runId}/events`, { events });
  return runId;
}

async function runScript(name: string, ...args: readonly string[]): Promise<string> {
  const argv = ["-C", "@tm/source", snippets.pathOf(name), baseUrl, ...args];
  return (await run(process.execPath, argv, { timeout: 50_000 })).stdout;
}

it("the pages: every block of code is run, here or in Chromium", () => {
  expect([...readSnippets().keys()].toSorted()).toEqual([
    "follow.mjs",
    "follow.txt",
    "list-page.jsx",
    "list.jsx",
    "own-curl.sh",
    "own-node.mjs",
    "own-page.js",
    "page.js",
    "page.jsx",
    "run.jsx",
    "runs.mjs",
    "runs.txt",
    "text.jsx",
    "typed.ts",
    "use-store-solid.js",
    "use-store-svelte.js",
    "use-store-vue.js",
    "work.mjs",
    "work.txt",
    "write.mjs",
  ]);
  expect(countBlocks()).toBe(20);
});

it.each(["follow.mjs", "own-node.mjs"])(
  "the pages: %s follows a run with a token",
  async (name) => {
    const printed = await runScript(name, await recordRun(), "ada");
    expect(printed).toBe(readSnippet("follow.txt"));
  },
);

it("README: typed.ts adds up what its schema has checked", async () => {
  expect(await runScript("typed.ts", await recordRun(), "ada")).toBe("5\n");
});

it("README: write.mjs records a run", async () => {
  const runId = (await runScript("write.mjs", "ada")).trim();
  expect(await readLog(server.port, runId)).toEqual([
    ["RUN_STARTED", null],
    ["PHASE_STARTED", { phase: "compose" }],
    ["TOKEN", "Tea"],
    ["TOKEN", "is"],
    ["TOKEN", "a"],
    ["TOKEN", "leaf."],
    ["RUN_COMPLETED", { words: 4 }],
  ]);
});

it("README: work.mjs works on a run, and prints what the page shows", async () => {
  const runId = await createRun(server.port);
  expect(await runScript("work.mjs", runId, "ada")).toBe(readSnippet("work.txt"));
  expect(await readLog(server.port, runId)).toEqual([
    ["PHASE_STARTED", { phase: "compose" }],
    ["TOKEN", "Tea"],
    ["TOKEN", "is"],
    ["TOKEN", "a"],
    ["TOKEN", "leaf."],
    ["RUN_COMPLETED", { words: 4 }],
  ]);
});

it("README: runs.mjs makes every call of the server, and prints what the page shows", async () => {
  expect(await runScript("runs.mjs", "bob")).toBe(readSnippet("runs.txt"));
});

it("AUTHORS: own-curl.sh prints one frame a line until the run ends", async () => {
  const env = {
    ...process.env,
    BASE_URL: baseUrl,
    RUN_ID: await recordRun(),
    COOKIE: "session=ada",
  };
  const { stdout } = await run("sh", [snippets.pathOf("own-curl.sh")], { env, timeout: 50_000 });
  const types = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toEqual(["connected", "run_event", "run_event", "run_event", "run_finished"]);
});

it("AUTHORS: own-curl.sh prints the server's refusal of a stream", async () => {
  const env = { ...process.env, BASE_URL: baseUrl, RUN_ID: "none", COOKIE: "session=ada" };
  const { stdout } = await run("sh", [snippets.pathOf("own-curl.sh")], { env, timeout: 50_000 });
  expect(JSON.parse(stdout)).toMatchObject({ code: "not_found" });
});

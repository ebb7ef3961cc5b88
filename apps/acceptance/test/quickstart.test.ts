import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { startPostgres } from "@tm/run-events-test-servers";
import { expect, it, onTestFinished } from "vitest";
import { linesUntil } from "../src/lines-of.ts";
import { readSnippet } from "../src/snippets.ts";

const root = new URL("../../../", import.meta.url);
const PAGE_GUIDE = "docs/guides/page.md";
const WORKER_GUIDE = new URL("docs/guides/worker.md", root);

/** The lines that a snippet prints, up to the one that matches. */
async function runSnippet(
  page: string,
  name: string,
  until: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  // Inside the workspace, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  await writeFile(join(folder, name), readSnippet(new URL(page, root), name));
  const child = spawn(process.execPath, ["-C", "@tm/source", name], {
    cwd: folder,
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    return await linesUntil(child, until);
  } finally {
    // A server that drains would keep this process's output open.
    child.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

/** The lines that a page shows as the output of a snippet. */
function shownIn(page: string, name: string): readonly string[] {
  return readSnippet(new URL(page, root), name).trimEnd().split("\n");
}

it("README: the first program prints what the page shows", async () => {
  const printed = await runSnippet("README.md", "first.mjs", / completed$/);
  expect(printed).toEqual(shownIn("README.md", "first.txt"));
});

it.each([
  ["README.md", "first.mjs", 12],
  [PAGE_GUIDE, "quickstart.mjs", 46],
  [PAGE_GUIDE, "index.html", 45],
] as const)("%s: the program %s has %i lines of code at most", (page, name, most) => {
  const code = readSnippet(new URL(page, root), name);
  const lines = code.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
  expect(lines.length).toBeLessThanOrEqual(most);
});

/** Runs a worker of the guide on a new run, whose answer ends when its signal aborts, as many streams do. */
async function runWorker(
  name: string,
  { runs, onToken }: { readonly runs: RunEvents; readonly onToken: (runId: string) => unknown },
): Promise<{ readonly runId: string; readonly outcome: PromiseSettledResult<unknown> }> {
  const code = readSnippet(WORKER_GUIDE, name);
  const { runId } = await runs.create({ ownerId: "ada" });
  async function* answer(prompt: string, signal: AbortSignal): AsyncGenerator<string> {
    for (const token of [prompt, "!"]) {
      if (signal.aborted) return;
      yield token;
      void onToken(runId);
      // An abort comes with the next turn at the latest.
      await new Promise(setImmediate);
    }
  }
  const work: unknown = runInNewContext(`(async () => {${code}})()`, {
    runs,
    runId,
    ownerId: "ada",
    answer,
    prompt: "whale",
  });
  const [outcome] = await Promise.allSettled([work]);
  return { runId, outcome };
}

const WORKERS = ["worker.js", "worker-without-successor.js"] as const;

it.each(WORKERS)("the guide of a worker: %s records an answer under a lease", async (name) => {
  const runs = createRunEvents({ store: createMemoryStore() });
  const { runId } = await runWorker(name, { runs, onToken: () => {} });
  const { events, runStatus } = await runs.as("ada").read(runId);
  expect(runStatus).toBe("completed");
  expect(events.map(({ payload }) => payload)).toEqual(["whale", "!", { done: true }]);
});

it.each([
  ["worker.js", "running", ["TOKEN"]],
  ["worker-without-successor.js", "failed", ["TOKEN", "RUN_FAILED"]],
] as const)(
  "the guide of a worker: a shutdown in mid-answer completes no run: that of %s is %s",
  async (name, runStatus, types) => {
    const store = createMemoryStore();
    // The server that goes down shares what it keeps with the one that comes after it.
    const runs = createRunEvents({ store: { ...store, close: async () => {} } });
    const { runId } = await runWorker(name, { runs, onToken: () => runs.close() });
    const later = createRunEvents({ store });
    const page = await later.as("ada").read(runId);
    expect(page.runStatus).toBe(runStatus);
    expect(page.events.map(({ eventType }) => eventType)).toEqual(types);
    // The next worker finds the run free at once, and a finished run cannot be claimed.
    const claim = later.as("ada").claim(runId, { leaseMs: 1_000 });
    if (runStatus === "running") expect((await claim).fence).toBeGreaterThan(0);
    else await expect(claim).rejects.toMatchObject({ code: "run_finished" });
  },
);

it.each(WORKERS)(
  "the guide of a worker: a cancel in mid-answer ends %s, and adds nothing to the run",
  async (name) => {
    const runs = createRunEvents({ store: createMemoryStore() });
    const { runId, outcome } = await runWorker(name, {
      runs,
      onToken: (id) => runs.as("ada").cancel(id),
    });
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "run_finished" } });
    const { events } = await runs.as("ada").read(runId);
    expect(events.map(({ eventType }) => eventType)).toEqual(["TOKEN", "RUN_CANCELLED"]);
  },
);

it.each([
  ["users", /^run_finished/],
  ["work", /^run_finished/],
  ["merge", /^RUN_COMPLETED/],
  ["topic", /^true$/],
  ["watch", /^completed/],
])("core's page: core-%s.mjs prints what the page shows", async (name, last) => {
  const page = "packages/core/README.md";
  const printed = await runSnippet(page, `core-${name}.mjs`, last);
  expect(printed).toEqual(shownIn(page, `core-${name}.txt`));
});

it("SQLite's page: a business row and its event commit together, as the page shows", async () => {
  const page = "packages/sqlite/README.md";
  const printed = await runSnippet(page, "sqlite-users.mjs", /orders/);
  expect(printed).toEqual(shownIn(page, "sqlite-users.txt"));
});

it("Postgres' page: a business row and its event commit together, as the page shows", async () => {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.close());
  const page = "packages/postgres/README.md";
  const env = { DATABASE_URL: await postgres.createDatabase() };
  const printed = await runSnippet(page, "postgres-users.mjs", /item:/, env);
  expect(printed).toEqual(shownIn(page, "postgres-users.txt"));
});

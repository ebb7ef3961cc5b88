import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { startPostgres } from "@tm/run-events-test-servers";
import { expect, it, onTestFinished } from "vitest";
import { linesUntil } from "../src/lines-of.ts";
import { readSnippet } from "../src/snippets.ts";

const root = new URL("../../../", import.meta.url);

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
    child.kill();
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

it("README: the quickstart records a run, tails it and serves it", async () => {
  expect(await runSnippet("README.md", "quickstart.mjs", /RUN_COMPLETED/)).toEqual([
    "1 PHASE_STARTED { phase: 'compose' }",
    "2 RUN_COMPLETED { words: 1204 }",
  ]);
});

it("README: the quickstart has twenty lines of code", () => {
  const code = readSnippet(new URL("README.md", root), "quickstart.mjs");
  const lines = code.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
  expect(lines.length).toBeLessThanOrEqual(20);
});

it("README: a worker records an answer under a lease", async () => {
  const code = readSnippet(new URL("README.md", root), "worker.js");
  const runs = createRunEvents({ store: createMemoryStore() });
  const { runId } = await runs.create({ ownerId: "ada" });
  async function* answer(prompt: string): AsyncGenerator<string> {
    yield* [prompt, "!"];
  }
  await runInNewContext(`(async () => {${code}})()`, { runs, runId, answer, prompt: "whale" });
  const { events, runStatus } = await runs.read(runId);
  expect(runStatus).toBe("completed");
  expect(events.map(({ payload }) => payload)).toEqual(["whale", "!", { done: true }]);
});

it("core's page: the example appends, replays, reads, tails and is refused", async () => {
  expect(await runSnippet("packages/core/README.md", "core-users.mjs", /run_finished/)).toEqual([
    "running search [ 2, 3 ]",
    "3 HIT",
    "4 RUN_COMPLETED",
    "run_finished { runStatus: 'completed', lastSequence: 4 }",
  ]);
});

it("core's page: a worker records a run, and a cancel stops it", async () => {
  expect(await runSnippet("packages/core/README.md", "core-work.mjs", /run_finished/)).toEqual([
    "{ words: 3 } completed",
    "run_finished cancelled",
  ]);
});

it("SQLite's page: a business row and its event commit together", async () => {
  expect(await runSnippet("packages/sqlite/README.md", "sqlite-users.mjs", /orders/)).toEqual([
    "no gold",
    "{ orders: 1 } 1",
  ]);
});

it("Postgres' page: a business row and its event commit together", async () => {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.close());
  const env = { DATABASE_URL: await postgres.createDatabase() };
  expect(
    await runSnippet("packages/postgres/README.md", "postgres-users.mjs", /item:/, env),
  ).toEqual(["no gold", "[ { item: 'tea' } ] 1"]);
});

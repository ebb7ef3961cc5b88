import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readSnippet } from "../src/snippets.ts";
import { installWithNode, packPackages, type Tarballs } from "./packed-packages.ts";
import { startQuickstart, writeQuickstart } from "./page-quickstart.ts";

const run = promisify(execFile);
const PACKAGES = ["core", "http", "sqlite", "postgres", "redis", "conformance"].map(
  (name) => `packages/${name}`,
);

/** One case of a race, one of a crash: enough to see that processes are forked from what was packed. */
const RACE_AND_CRASH = "(S4|S7 after all) ";

/** What the docs of the kit show: a module for its command, and a test in many processes. */
const SHOWN = {
  "store.mjs": "packages/conformance/README.md",
  "open-store.mjs": "packages/conformance/docs/processes.md",
  "processes.test.mjs": "packages/conformance/docs/processes.md",
};

/** Runs what the docs of the kit show: its command, and its processes. @throws what failed, with what it said */
async function runKit(project: string): Promise<void> {
  for (const [name, page] of Object.entries(SHOWN)) {
    const file = new URL(`../../../${page}`, import.meta.url);
    await writeFile(join(project, name), readSnippet(file, name));
  }
  const programs = join(project, "node_modules/.bin");
  // The Node of the project comes first, and no words of this process's own reach it.
  const inProject = { cwd: project, env: { PATH: `${programs}:${process.env["PATH"]}` } };
  const words = ["--test", `--test-name-pattern=${RACE_AND_CRASH}`, "processes.test.mjs"];
  const [checked, raced] = await Promise.all([
    run("run-events-conformance", ["./store.mjs", "--profile", "quick"], inProject),
    run("node", words, inProject),
  ]);
  expect(checked.stdout).toMatch(/^[1-9]\d* passed, 0 failed$/m);
  expect(raced.stdout).toMatch(/pass 2$/m);
}

/** Starts a run as the page's form does, and follows it to its end. */
async function askQuickstart(url: string): Promise<void> {
  const headers = { cookie: "user=ada" };
  const body = new URLSearchParams({ prompt: "Why?" });
  const asked = await fetch(url, { method: "POST", headers, body, redirect: "manual" });
  const runId = asked.headers.get("location")?.replace("/?run=", "");
  const stream = await fetch(`${url}/v1/agent-runs/${runId}/stream`, { headers });
  expect(await stream.text()).toMatch(/"TOKEN"[^]*"RUN_COMPLETED"[^]*"run_finished"/);
}

/** What npm makes of the packages' tarballs outside the workspace: the quickstart and the kit must run on nothing else. */
describe("the packed packages", () => {
  let folder = "";
  let tarballs: Tarballs = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-events-packed-"));
    tarballs = await packPackages(PACKAGES, folder);
  }, 300_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(["22", "24", "26"])(
    "run the quickstart and the kit under Node %s",
    async (version) => {
      const project = await mkdtemp(join(folder, `node-${version}-`));
      await writeQuickstart(project);
      const dependencies = { ...tarballs, "better-sqlite3": "^13.0.0" };
      const node = await installWithNode(project, dependencies, version);
      // Adapters need their drivers' types alone: none of these is installed.
      const imports = Object.keys(tarballs).map((name) => `await import("${name}");`);
      await run(node, ["--input-type=module", "--eval", imports.join("\n")], { cwd: project });
      await runKit(project);
      await askQuickstart((await startQuickstart(project, { onTestFinished }, [node])).url);
    },
    300_000,
  );
});

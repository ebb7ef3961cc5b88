import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { pinsOf } from "@tm/run-events-test-servers/pins";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readSnippet } from "../src/snippets.ts";
import { installWithNode, packPackages, type Tarballs } from "./packed-packages.ts";
import { bundlePage, openPage } from "./packed-page.ts";
import { startQuickstart, writeQuickstart } from "./page-quickstart.ts";
import { COMPILERS, compileProgram, RESOLUTIONS, versionOf } from "./typed-program.ts";

const run = promisify(execFile);
const PACKAGES = [
  "core",
  "http",
  "client",
  "sqlite",
  "postgres",
  "redis",
  "conformance",
  "ai",
  "otel",
].map((name) => `packages/${name}`);

/** It has no import of its own name: each of its doors is for another product. */
const AI = "@tm/run-events-ai";

/** One case of a race, one of a crash: enough to see that processes are forked from what was packed. */
const RACE_AND_CRASH = "(S4|S7 after all) ";

/** A page's script. */
const RUNS = `
import { createClient } from "@tm/run-events-client/runs";
globalThis.runs = createClient();
`;

/** Functions that `work` alone needs, in the client and in core. */
const CODE_OF_WORK = /function (createServerAccess|workRun|runWork)\(/;

/** The snippets in the kit's docs: a module for its command, and a test in many processes. */
const SHOWN = {
  "store.mjs": "packages/conformance/README.md",
  "open-store.mjs": "packages/conformance/docs/processes.md",
  "processes.test.mjs": "packages/conformance/docs/processes.md",
};

/** Runs the snippets of the kit's docs: its command, and its processes. @throws Error with the output of the one that failed */
async function runKit(project: string): Promise<void> {
  for (const [name, page] of Object.entries(SHOWN)) {
    const file = new URL(`../../../${page}`, import.meta.url);
    await writeFile(join(project, name), readSnippet(file, name));
  }
  const programs = join(project, "node_modules/.bin");
  // The project's Node comes first in the path, and this process's own options must not reach it.
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

/** An npm install of the tarballs outside the workspace: the quickstart and the kit must run on nothing else. */
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
      const names = Object.keys(tarballs).filter((name) => name !== AI);
      const imports = names.map((name) => `await import("${name}");`);
      await run(node, ["--input-type=module", "--eval", imports.join("\n")], { cwd: project });
      await runKit(project);
      await askQuickstart((await startQuickstart(project, { onTestFinished }, [node])).url);
    },
    300_000,
  );

  it("a door of `ai` needs its own product, and none of the others", async () => {
    const project = await mkdtemp(join(folder, "doors-"));
    const names = ["@tm/run-events-core", AI];
    const packed = Object.entries(tarballs).filter(([name]) => names.includes(name));
    const node = await installWithNode(project, Object.fromEntries(packed), "24");
    const load = (door: string): Promise<unknown> =>
      run(node, ["--input-type=module", "--eval", `await import("${AI}/${door}")`], {
        cwd: project,
      });
    await load("resumable-stream");
    await load("tanstack-ai");
    await expect(load("ai-sdk")).rejects.toThrow("'ai'");
    await expect(load("assistant-ui")).rejects.toThrow("'assistant-stream'");
    await expect(load("ag-ui")).rejects.toThrow("'@ag-ui/client'");
    await expect(load("ag-ui/page")).rejects.toThrow("'@ag-ui/client'");
  }, 300_000);

  describe("for TypeScript", () => {
    /** The drivers and their types, on the versions of the workspace. */
    const DRIVERS = [
      "better-sqlite3",
      "@types/better-sqlite3",
      "@types/node",
      "ioredis",
      "pg",
      "@types/pg",
      "postgres",
      "redis",
    ];
    const names = Object.keys(COMPILERS) as readonly (keyof typeof COMPILERS)[];
    let project = "";

    beforeAll(async () => {
      project = await mkdtemp(join(folder, "types-"));
      await installWithNode(project, { ...tarballs, ...pinsOf(DRIVERS) }, "24");
    }, 300_000);

    it.each(names.flatMap((name) => RESOLUTIONS.map((resolution) => [name, resolution] as const)))(
      "a program with every driver compiles strictly on %s with %s, all types checked",
      async (compiler, resolution) => {
        expect(await compileProgram(project, compiler, resolution)).toBe("");
      },
      120_000,
    );

    it("the compilers are those that are named", async () => {
      expect(await Promise.all(names.map(versionOf))).toEqual(Object.values(COMPILERS));
    });
  });

  describe("in a page", () => {
    let project = "";

    beforeAll(async () => {
      project = await mkdtemp(join(folder, "page-"));
      const names = ["core", "client"].map((name) => `@tm/run-events-${name}`);
      const packed = Object.entries(tarballs).filter(([name]) => names.includes(name));
      await installWithNode(project, { ...Object.fromEntries(packed), react: "^19.0.0" }, "24");
    }, 300_000);

    it("`/runs` loads the code of `work` once `work` is called, and not before", async () => {
      const page = await openPage(await bundlePage(project, RUNS), { onTestFinished });
      const runId = String(await page.run(`runs.create().then(({ runId }) => runId)`));
      expect(page.loaded()).not.toMatch(CODE_OF_WORK);
      const working = `runs.work("${runId}", { leaseMs: 30_000 }, (run) => run.emit("TOKEN", 1))`;
      await page.run(`${working}.then(() => null)`);
      expect(page.loaded()).toMatch(CODE_OF_WORK);
      expect(await page.run(`runs.get("${runId}").then(({ runStatus }) => runStatus)`)).toBe(
        "completed",
      );
    });

    it("`/runs` loads under 14 KiB at first, minified and gzipped", async () => {
      const page = await openPage(await bundlePage(project, RUNS, true), { onTestFinished });
      expect(await page.run("typeof runs.work")).toBe("function");
      expect(gzipSync(page.loaded(), { level: 9 }).length).toBeLessThan(14 * 1_024);
    });

    it("`/react` has none of the code of `work`", async () => {
      const code = `import { useRun, useRunFold, useRuns } from "@tm/run-events-client/react";
        globalThis.hooks = [useRun, useRunFold, useRuns];`;
      const scripts = await bundlePage(project, code);
      const page = await openPage(scripts, { onTestFinished });
      expect(await page.run("hooks.length")).toBe(3);
      expect(page.loaded()).toMatch(/function useRuns\(/);
      expect(Object.values(scripts).join("\n")).not.toMatch(CODE_OF_WORK);
    });
  });
});

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { startWorkerd } from "@tm/run-events-test-servers/workerd";
import { expect, it, onTestFinished } from "vitest";
import { readSnippet } from "../../../apps/acceptance/src/snippets.ts";
import { bundleWorker } from "./workerd/bundle-worker.ts";

const PAGE = new URL("../DRIVERS.md", import.meta.url);
const BUN = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));

/** Writes a program of the page next to this file, so that the packages resolve as they do for a user. */
async function writeProgram(name: string): Promise<{ readonly folder: string; file: string }> {
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, name);
  await writeFile(file, readSnippet(PAGE, name));
  return { folder, file };
}

it("the page's program for Bun prints what the page says", async () => {
  const { folder, file } = await writeProgram("bun-users.mjs");
  const args = ["--conditions=@tm/source", file];
  const { stdout } = await promisify(execFile)(BUN, args, { cwd: folder });
  expect(stdout).toBe("ORDER_PLACED tea\n");
});

it.each([
  ["drizzle", "ORDER_PLACED tea\n"],
  ["kysely", "tea\n"],
])("the page's program for %s prints what the page says", async (orm, printed) => {
  const { folder, file } = await writeProgram(`${orm}-users.mjs`);
  const args = ["-C", "@tm/source", file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  expect(stdout).toBe(printed);
});

it("the page's Durable Object answers what the page says", async () => {
  const { file } = await writeProgram("object-users.mjs");
  const script = await bundleWorker(pathToFileURL(file));
  const server = await startWorkerd({ script, className: "Shop" });
  onTestFinished(() => server.close());
  expect(await (await fetch(server.url)).json()).toEqual(["ORDER_PLACED"]);
});

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { readSnippet } from "../../../apps/acceptance/src/snippets.ts";
import { useServer } from "./stores.ts";

const PAGE = new URL("../DRIVERS.md", import.meta.url);
const server = useServer();

it("the page's program for postgres.js prints what the page says, and nothing keeps its process alive", async () => {
  // Next to this file, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "users.mjs");
  await writeFile(file, readSnippet(PAGE, "postgres-js-users.mjs"));
  const env = { ...process.env, DATABASE_URL: await server().createDatabase() };
  const args = ["-C", "@tm/source", file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(stdout).toBe("ORDER_PLACED tea\n");
});

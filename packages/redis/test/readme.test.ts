import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { readSnippet } from "../../../apps/acceptance/src/snippets.ts";
import { openServer } from "./opened.ts";

const PAGES = [
  { page: "README.md", name: "redis-users" },
  { page: "DRIVERS.md", name: "node-redis-users" },
];

it.each(PAGES)(
  "the example of $page prints what the page shows, and leaves nothing that keeps its process alive",
  async ({ page, name }) => {
    const server = await openServer({ settings: ["--appendfsync", "always"] });
    const url = new URL(`../${page}`, import.meta.url);
    // Next to this file, so that the packages resolve as they do for a user.
    const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "users.mjs"), readSnippet(url, `${name}.mjs`));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["-C", "@tm/source", join(folder, "users.mjs")],
      { env: { ...process.env, REDIS_URL: server.url } },
    );
    expect(stdout).toBe(readSnippet(url, `${name}.txt`));
  },
);

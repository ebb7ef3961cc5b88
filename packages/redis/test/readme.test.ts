import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { openServer } from "./opened.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("the page's example prints what the page shows, and leaves nothing that keeps its process alive", async () => {
  const server = await openServer({ settings: ["--appendfsync", "always"] });
  const [, code = ""] =
    /<!-- snippet: redis-users.mjs -->\n\n```js\n(.*?)^```$/ms.exec(README) ?? [];
  // Next to this file, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "redis-users.mjs"), code);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["-C", "@tm/source", join(folder, "redis-users.mjs")],
    { env: { ...process.env, REDIS_URL: server.url } },
  );
  const [, shown] = /<!-- snippet: redis-users.txt -->\n\n```text\n(.*?)^```$/ms.exec(README) ?? [];
  expect(stdout).toBe(shown);
});

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

it('the compiled hook says "use client" in its first line, and no other entry does', async () => {
  const folder = await mkdtemp(join(tmpdir(), "run-events-client-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const source = join(import.meta.dirname, "..");
  await promisify(execFile)("tsc", ["-p", source, "--outDir", folder]);
  const firstLine = async (name: string): Promise<string | undefined> =>
    (await readFile(join(folder, name), "utf8")).split("\n", 1)[0];
  expect(await firstLine("react.js")).toBe('"use client";');
  expect(await firstLine("index.js")).not.toContain("use client");
  expect(await firstLine("store.js")).not.toContain("use client");
  expect(await firstLine("work.js")).not.toContain("use client");
});

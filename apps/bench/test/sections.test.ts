import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

/** Bounds a hang: on an idle machine all sections take about a minute. */
const LONG_MS = 600_000;

it("every section works, and its figures are numbers", { timeout: LONG_MS }, async () => {
  const main = join(import.meta.dirname, "../src/main.ts");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["-C", "@tm/source", main, "--quick"],
    { maxBuffer: 2 ** 26, timeout: LONG_MS },
  );
  const sections = stdout.split(/^## /m).slice(1);
  expect(sections).not.toEqual([]);
  for (const section of sections) {
    expect(section).toMatch(/^\| figure +\| median/m);
    expect(section).not.toMatch(/NaN|Infinity|undefined/);
  }
});

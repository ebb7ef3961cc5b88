import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { readResults } from "../src/results.ts";
import { withTempFolder } from "../src/temp-folder.ts";

/** Bounds a hang: on an idle machine all sections take about a minute. */
const LONG_MS = 600_000;

it(
  "every section works, and is written down with a profile of each of its processes",
  {
    timeout: LONG_MS,
  },
  () =>
    withTempFolder(async (folder) => {
      const main = join(import.meta.dirname, "../src/main.ts");
      const [out, profiles] = [join(folder, "out"), join(folder, "profiles")];
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["-C", "@tm/source", main, "--quick", "--out", out, "--profile", profiles],
        { maxBuffer: 2 ** 26, timeout: LONG_MS },
      );
      const sections = [...stdout.matchAll(/^## (\S+)$/gm)].map(([, name]) => name);
      const results = await readResults(out);
      expect(new Set(results.map(({ section }) => section))).toEqual(new Set(sections));
      for (const { section, report } of results) {
        const values = [...report.targets, ...report.figures].flatMap((figure) => figure.values);
        expect(values, section).not.toEqual([]);
        // NaN and Infinity are null in JSON.
        expect(values, section).not.toContain(null);
      }
      const profiled = await readdir(join(profiles, "fanout"));
      expect(profiled.some((name) => name.startsWith("fanout-subjects-ours-"))).toBe(true);
      expect(stdout).toContain("packages/core/src/");
    }),
);

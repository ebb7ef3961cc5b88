import { readdirSync, readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { findRegExps, isLinear } from "./harness/reg-exps.ts";

const ROOT = new URL("../../../", import.meta.url);
/** Where text of a caller passes through. */
const FOLDERS = ["packages/http/src/", "packages/core/src/", "apps/server/src/"];

/** Expressions that a caller's text never meets, or only within a bound. Each with the reason. */
const ALLOWED: ReadonlyMap<string, string> = new Map([
  ["apps/server/src/console-routes.ts", "the console's own page, and a header of 16 KiB at most"],
  ["apps/server/src/serve.ts", "the server's own message"],
  ["apps/server/src/store-url.ts", "a setting of the operator"],
  ["apps/server/src/store-url-flaw.ts", "a setting of the operator"],
  [
    "packages/core/src/rules/escape-text.ts",
    "its only repetition begins after a flag, and a flag is not one of the characters that repeat",
  ],
]);

describe("no expression costs more than the text is long", () => {
  it("knows an expression that starts over at each character from one that does not", () => {
    const quadratic = ["/^[ \\t]+|[ \\t]+$/g", "/\\s+$/", "/a*b/", "/^(a+)+$/", "/^(?:a|b*)*$/"];
    const linear = ["/^[ \\t]+/", "/[ \\n]/", "/^(0|[1-9]\\d*)$/", "/^\\d{1,9}$/", "/[\\s+*]/g"];
    expect(quadratic.filter(isLinear)).toEqual([]);
    expect(linear.filter((source) => !isLinear(source))).toEqual([]);
  });

  it.each(FOLDERS)("%s", (folder) => {
    const names = readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => folder + name);
    const found = names
      .filter((name) => !ALLOWED.has(name))
      .flatMap((name) =>
        findRegExps(readFileSync(new URL(name, ROOT), "utf8")).map((text) => `${name}: ${text}`),
      );
    expect(found.length).toBeGreaterThan(3);
    expect(found.filter((text) => !isLinear(text.slice(text.indexOf(": ") + 2)))).toEqual([]);
  });
});

/**
 * A parser that takes more than linear time does not end within the test's bound: for the quadratic ones seen here, 4 MiB took hours.
 * Each runs in a new thread, so that one that hangs can be ended.
 */
it.each(["json", "ndjson", "headers"])(
  "reads every sort of text up to its limit (%s)",
  { timeout: 120_000 },
  async (parser) => {
    const worker = new Worker(new URL("harness/read-texts.ts", import.meta.url), {
      workerData: parser,
      execArgv: ["-C", "@tm/source"],
    });
    try {
      const read = await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      expect(read).toBeGreaterThan(10);
    } finally {
      await worker.terminate();
    }
  },
);

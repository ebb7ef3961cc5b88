import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** Every module that an entry comes to load, beside the kit's own. */
function importsOf(entry: string): ReadonlySet<string> {
  const own = new Set([new URL(`../src/${entry}`, import.meta.url).href]);
  const foreign = new Set<string>();
  for (const url of own) {
    const text = readFileSync(new URL(url), "utf8");
    for (const [, name = ""] of text.matchAll(/^(?:import|export)\b[^;]*? from "([^"]+)";$/gm)) {
      if (name.startsWith(".")) own.add(new URL(name, url).href);
      else foreign.add(name);
    }
  }
  return foreign;
}

describe("the entries", () => {
  it.each([
    ["index.ts", []],
    ["vitest.ts", ["vitest"]],
    ["node.ts", ["node:test"]],
    ["bun.ts", ["bun:test"]],
    ["file-examples.ts", null],
  ])("%s imports the runner that it is for, and nothing of Node's beside", (entry, runner) => {
    const expected =
      runner === null ? ["node:fs"] : ["@tm/run-events-core", "fast-check", ...runner];
    expect([...importsOf(entry)].toSorted()).toEqual(expected.toSorted());
  });
});

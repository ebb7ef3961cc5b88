import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** Statements that import, with or without names, for their types alone too; and calls of `import`. */
const IMPORTS = /(?:^import |^(?:import|export)\b[^;"]*? from |\bimport\()"([^"]+)"/gm;

/** Core has several doors. */
const CORE = /^@tm\/run-events-core/;

/** Every package that an entry comes to load, besides the kit's own modules. */
function importsOf(entry: string): ReadonlySet<string> {
  const own = new Set([new URL(`../src/${entry}`, import.meta.url).href]);
  const foreign = new Set<string>();
  for (const url of own) {
    const text = readFileSync(new URL(url), "utf8");
    for (const [, name = ""] of text.matchAll(IMPORTS)) {
      if (name.startsWith(".")) own.add(new URL(name, url).href);
      else foreign.add(CORE.exec(name)?.[0] ?? name);
    }
  }
  return foreign;
}

describe("the entries", () => {
  // That no global of Node's is used either is for `tsconfig.portable.json`, which `pnpm types` checks without Node's types.
  it.each([
    ["index.ts", ["@tm/run-events-core", "fast-check"]],
    ["http/index.ts", ["@tm/run-events-core", "fast-check"]],
  ])("%s imports core and fast-check alone", (entry, expected) => {
    expect([...importsOf(entry)].toSorted()).toEqual(expected.toSorted());
  });

  it("are held without Node's types where they have to do without Node", () => {
    const file = new URL("../tsconfig.portable.json", import.meta.url);
    const { files } = JSON.parse(readFileSync(file, "utf8")) as { readonly files: unknown };
    expect(files).toEqual(["src/index.ts", "src/http/index.ts"]);
  });

  it("of processes are known to need Node, or nothing here could be found", () => {
    expect(importsOf("processes/process-conformance.ts")).toContain("node:child_process");
  });
});

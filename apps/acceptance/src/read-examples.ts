import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./read-pages.ts";

const SOURCES = "packages/*/src/**/*.{ts,tsx}";

/** A doc comment with an example, its indentation, and the name that it is about. */
const COMMENT =
  /^( *)\/\*\*((?:(?!\*\/)[^])*?@example(?:(?!\*\/)[^])*)\*\/\s*(?:(?:export|async|readonly|function|const|class|interface|type) )*(\w+)/gm;

/** A declaration that may have members. */
const CONTAINER = /^export (?:interface|class) (\w+)/gm;

/** The `@example`s of the sources, by file and name: `packages/core/src/run-events.ts: RunEvents.work`. */
export function readExamples(): ReadonlyMap<string, string> {
  const examples = new Map<string, string>();
  for (const path of globSync(SOURCES, { cwd: ROOT })) {
    const source = readFileSync(join(ROOT, path), "utf8");
    for (const { index, 1: indent = "", 2: comment = "", 3: name = "" } of source.matchAll(
      COMMENT,
    )) {
      const [container = ""] = Array.from(
        source.slice(0, index).matchAll(CONTAINER),
        ([, one = ""]) => one,
      ).slice(-1);
      const lines = comment.replaceAll(/^[ \t]*\* ?/gm, "");
      const [, example = ""] = lines.split(/^@example\n/m);
      examples.set(`${path}: ${indent === "" ? name : `${container}.${name}`}`, example.trim());
    }
  }
  return examples;
}

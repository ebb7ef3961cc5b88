import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import * as store from "../src/index-store.ts";
import * as wire from "../src/index-wire.ts";

it.each([
  ["store", store],
  ["wire", wire],
])("the authors' page names each value of /%s, and no other", async (door, module) => {
  const page = await readFile(new URL("../AUTHORS.md", import.meta.url), "utf8");
  const [, section = ""] = page.split(`\n### What \`/${door}\` exports\n`);
  const [table = ""] = section.split(/\n##/);
  const cells = [...table.matchAll(/^\| (`.*?) +\|/gm)].map(([, cell = ""]) => cell);
  const names = cells.flatMap((cell) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
  );
  expect(names.toSorted()).toStrictEqual(Object.keys(module).toSorted());
});

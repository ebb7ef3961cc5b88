import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as store from "../src/index-store.ts";
import * as wire from "../src/index-wire.ts";
import * as core from "../src/index.ts";
import { STORE_TYPES, STORE_VALUES, TYPES, VALUES } from "./door-names.ts";
import { WIRE_TYPES, WIRE_VALUES } from "./wire-door-names.ts";
import { readModules } from "./read-modules.ts";

/** The names in the file's export clauses: types do not exist at run time. */
function namesIn(source: string, clause: RegExp): readonly string[] {
  return [...source.matchAll(clause)]
    .flatMap(([, names = ""]) => names.match(/\w+/g) ?? [])
    .toSorted();
}

describe.each([
  { file: "index.ts", module: core, values: VALUES, types: TYPES },
  { file: "index-store.ts", module: store, values: STORE_VALUES, types: STORE_TYPES },
  { file: "index-wire.ts", module: wire, values: WIRE_VALUES, types: WIRE_TYPES },
])("the public API in $file", ({ file, module, values, types }) => {
  it("the door exports exactly these values", () => {
    expect(Object.keys(module).toSorted()).toStrictEqual(values.toSorted());
  });

  it("the door exports exactly these types, each named in the index alone", async () => {
    const source = await readFile(new URL(`../src/${file}`, import.meta.url), "utf8");
    expect(namesIn(source, /export type \{([^}]*)\}/g)).toStrictEqual(types.toSorted());
    expect(namesIn(source, /export \{([^}]*)\}/g)).toStrictEqual(values.toSorted());
    expect(source).not.toMatch(/export \*|export default/);
  });
});

describe("the three doors together", () => {
  it("the door for users has at most 30 names", () => {
    expect(VALUES.length + TYPES.length).toBeLessThanOrEqual(30);
  });

  it("each name has one door", () => {
    const names = [VALUES, TYPES, STORE_VALUES, STORE_TYPES, WIRE_VALUES, WIRE_TYPES].flat();
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toStrictEqual([]);
  });

  it("no exported declaration mentions a type of core that no door exports", async () => {
    const modules = await readModules();
    const open = new Set(
      [TYPES, STORE_TYPES, WIRE_TYPES, VALUES, STORE_VALUES, WIRE_VALUES].flat(),
    );
    const types = new Set(modules.flatMap(({ types: own }) => own));
    const hidden = modules.flatMap(({ declarations }) =>
      declarations
        .filter(({ name }) => open.has(name))
        .flatMap(({ name, surface }) =>
          (surface.match(/\b[A-Z]\w+/g) ?? [])
            .filter((used) => types.has(used) && !open.has(used))
            .map((used) => `${name} mentions ${used}`),
        ),
    );
    expect(hidden).toStrictEqual([]);
  });
});

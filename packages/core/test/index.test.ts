import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { answers, bounds, requests } from "../src/index-wire.ts";

const ROOT = join(import.meta.dirname, "../../..");
const USERS_DOOR = "index.ts";
const DOORS = [USERS_DOOR, "index-store.ts", "index-wire.ts"];

/** The names in the clauses of a module that match. */
function namesIn(source: string, clauses: RegExp): readonly string[] {
  return [...source.matchAll(clauses)].flatMap(([, names = ""]) =>
    names.replaceAll(/\b(?:type|as) /g, "").match(/\w+/g),
  ) as readonly string[];
}

/** The names in a door's export clauses. */
async function readNames(door: string): Promise<readonly string[]> {
  const source = await readFile(new URL(`../src/${door}`, import.meta.url), "utf8");
  expect(source).not.toMatch(/export \* from|export default|export const/);
  return namesIn(source, /export (?:type )?(\{[^}]*\}|\* as \w+)/g);
}

const names = new Map(
  await Promise.all(DOORS.map(async (door) => [door, await readNames(door)] as const)),
);
const all = [...names.values()].flat();

it("the door for users has at most 30 names, and all doors have at most 120", () => {
  expect(names.get(USERS_DOOR)?.length).toBeLessThanOrEqual(30);
  expect(all.length).toBeLessThanOrEqual(120);
});

it("each name has one door", () => {
  expect(all.filter((name, at) => all.indexOf(name) !== at)).toStrictEqual([]);
});

it("each name has a user outside of core, and so has each value below a name: other types are parts of one that has", async () => {
  const used = new Set<string>();
  const places = [
    "packages/*/{src,examples}/**/*.ts",
    "packages/*/*.md",
    "apps/*/{src,test}/**/*.{ts,tsx}",
  ];
  for await (const path of glob(places, { cwd: ROOT, exclude: ["packages/core/src/**"] })) {
    const text = await readFile(join(ROOT, path), "utf8");
    const imports = /(?:im|ex)port (?:type )?\{([^}]*)\} from "@tm\/run-events-core(?:\/\w+)?"/g;
    for (const name of namesIn(text, imports)) used.add(name);
    for (const [whole] of text.matchAll(/\b(?:answers|bounds|requests)\.\w+/g)) used.add(whole);
  }
  const below = Object.entries({ answers, bounds, requests }).flatMap(([name, values]) =>
    Object.keys(values).map((value) => `${name}.${value}`),
  );
  expect([...all, ...below].filter((name) => !used.has(name))).toStrictEqual([]);
});

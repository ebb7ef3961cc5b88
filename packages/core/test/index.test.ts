import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { readModules } from "./read-modules.ts";

const USERS_DOOR = "index.ts";
const DOORS = [USERS_DOOR, "index-store.ts", "index-wire.ts"];

/** The names in a door's export clauses. */
async function readNames(door: string): Promise<readonly string[]> {
  const source = await readFile(new URL(`../src/${door}`, import.meta.url), "utf8");
  expect(source).not.toMatch(/export \*|export default/);
  const clauses = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)];
  return clauses.flatMap(([, names = ""]) => names.match(/\w+/g) ?? []);
}

const names = new Map(
  await Promise.all(DOORS.map(async (door) => [door, await readNames(door)] as const)),
);
const all = [...names.values()].flat();

it("the door for users has at most 30 names", () => {
  expect(names.get(USERS_DOOR)?.length).toBeLessThanOrEqual(30);
});

it("each name has one door", () => {
  expect(all.filter((name, at) => all.indexOf(name) !== at)).toStrictEqual([]);
});

it("no exported declaration mentions a type of core that no door exports", async () => {
  const modules = await readModules();
  const open = new Set(all);
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

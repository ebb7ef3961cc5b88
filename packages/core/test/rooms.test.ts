import { describe, expect, it } from "vitest";
import { readModules } from "./read-modules.ts";

/** The rooms of core from the ground up: each imports only rooms before it. The file `run-events.ts` is on top of them. */
const ROOMS = [
  "rules",
  "time",
  "store",
  "wire",
  "follow",
  "upkeep",
  "log",
  "work",
  "stream",
  "run-events.ts",
];

async function arrows(): Promise<readonly (readonly [from: string, to: string])[]> {
  const modules = await readModules();
  const roomOf = new Map(modules.map(({ path, room }) => [path, room]));
  const pairs = modules.flatMap(({ room, imports }) =>
    imports.map((path) => `${room} ${roomOf.get(path) ?? path}`),
  );
  return [...new Set(pairs)]
    .map((pair): [string, string] => {
      const [from = "", to = ""] = pair.split(" ");
      return [from, to];
    })
    .filter(([from, to]) => from !== to);
}

describe("the rooms of core", () => {
  it("every file is in a room", async () => {
    const rooms = new Set((await readModules()).map(({ room }) => room));
    expect([...rooms].toSorted()).toStrictEqual(ROOMS.toSorted());
  });

  it("a room imports only rooms before it", async () => {
    const back = (await arrows()).filter(([from, to]) => ROOMS.indexOf(to) > ROOMS.indexOf(from));
    expect(back).toStrictEqual([]);
  });

  it("no file imports itself through others", async () => {
    const imports = new Map((await readModules()).map((module) => [module.path, module.imports]));
    const done = new Set<string>();
    const circles: string[] = [];
    function visit(path: string, trail: readonly string[]): void {
      if (trail.includes(path))
        circles.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
      if (done.has(path) || trail.includes(path)) return;
      for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    }
    for (const path of imports.keys()) visit(path, []);
    expect(circles).toStrictEqual([]);
  });

  it("they have at most 7 floors and 40 arrows between them", async () => {
    const between = await arrows();
    const floors = new Map<string, number>();
    for (const room of ROOMS) {
      const below = between.filter(([from]) => from === room).map(([, to]) => floors.get(to) ?? 0);
      floors.set(room, Math.max(0, ...below) + 1);
    }
    expect(Math.max(...floors.values())).toBeLessThanOrEqual(7);
    expect(between.length).toBeLessThanOrEqual(40);
  });
});

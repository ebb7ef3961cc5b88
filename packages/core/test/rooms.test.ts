import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSources, roomsOf } from "../../test-servers/src/rooms.ts";

/** The rooms of core from the ground up: each imports only rooms before it. The files of no room are on top of them. */
const ROOMS = [
  "rules",
  "time",
  "bounds",
  "store",
  "wire",
  "follow",
  "upkeep",
  "log",
  "work",
  "stream",
  "",
];

const SOURCE = join(import.meta.dirname, "../src");

/** Every source file of core but its doors. */
const files = await readSources(SOURCE, (path) => path.startsWith("index"));
const modules = files.map((one) => {
  const [room = ""] = one.path.split("/");
  return { ...one, room: room === one.path ? "" : room };
});
const rooms = roomsOf(modules, ROOMS);

describe("the rooms of core", () => {
  it("every file of core is in a room", () => {
    expect(rooms.names).toStrictEqual(ROOMS.toSorted());
  });

  it("a room imports only rooms before it", () => {
    expect(rooms.back).toStrictEqual([]);
  });

  it("the authors' page names the rooms in this order, and only files that exist", async () => {
    const page = await readFile(new URL("../AUTHORS.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)\/` .*$/gm)];
    expect(rows.map(([, room]) => room)).toStrictEqual(ROOMS.slice(0, -1));
    const paths = modules.map(({ path }) => path);
    for (const [row, room] of rows)
      for (const [, file] of row.matchAll(/`([\w-]+\.ts)`/g))
        expect(paths).toContain(`${room}/${file}`);
  });

  it("no file of core imports itself through others", () => {
    expect(rooms.circles).toStrictEqual([]);
  });

  it("the rooms have at most 7 floors and 40 arrows between them", () => {
    expect(rooms.floors).toBeLessThanOrEqual(7);
    expect(rooms.arrows.length).toBeLessThanOrEqual(40);
  });
});

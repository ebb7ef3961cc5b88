import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSources, roomsOf } from "../../test-servers/src/rooms.ts";

/** The rooms of http from the ground up: each imports only rooms before it. The doors are `index.ts` and `node.ts`. */
const ROOMS = ["bounds", "exchange", "contract", "access", "routes", "service", "fetch", "node"];

const DOORS = ["index.ts", "node.ts"];
const files = await readSources(join(import.meta.dirname, "../src"), (path) =>
  DOORS.includes(path),
);
const rooms = roomsOf(files, ROOMS);

describe("the folders of http", () => {
  it("every file is in a folder of the list", () => {
    expect(rooms.names).toStrictEqual(ROOMS.toSorted());
  });

  it("a folder imports only folders before it", () => {
    expect(rooms.back).toStrictEqual([]);
  });

  it("the authors' page names the folders in this order, and only files that exist", async () => {
    const page = await readFile(new URL("../AUTHORS.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)\/` .*$/gm)];
    expect(rows.map(([, room]) => room)).toStrictEqual(ROOMS);
    const paths = files.map(({ path }) => path);
    for (const [row, room] of rows)
      for (const [, file] of row.matchAll(/`([\w-]+\.ts)`/g))
        expect(paths).toContain(`${room}/${file}`);
  });

  it("no file imports itself through others", () => {
    expect(rooms.circles).toStrictEqual([]);
  });

  it("the folders have at most 5 levels and 25 imports between them", () => {
    expect(rooms.floors).toBeLessThanOrEqual(5);
    expect(rooms.arrows.length).toBeLessThanOrEqual(25);
  });
});

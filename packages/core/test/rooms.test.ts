import { describe, expect, it } from "vitest";
import { roomsOf } from "../../test-servers/src/rooms.ts";
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

const rooms = roomsOf(await readModules(), ROOMS);

describe("the rooms of core", () => {
  it("every file is in a room", () => {
    expect(rooms.names).toStrictEqual(ROOMS.toSorted());
  });

  it("a room imports only rooms before it", () => {
    expect(rooms.back).toStrictEqual([]);
  });

  it("no file imports itself through others", () => {
    expect(rooms.circles).toStrictEqual([]);
  });

  it("they have at most 7 floors and 40 arrows between them", () => {
    expect(rooms.floors).toBeLessThanOrEqual(7);
    expect(rooms.arrows.length).toBeLessThanOrEqual(40);
  });
});

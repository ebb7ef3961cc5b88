import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSources, roomsOf } from "../../test-servers/src/rooms.ts";

/** The rooms of ai from the ground up: what all imports share, then a room for each import. The doors are the files next to them. */
const SHARED = ["runs", "streams", "produce", "routes"];
const IMPORTS = [
  "ag-ui",
  "ai-sdk",
  "ai-sdk/page",
  "assistant-ui",
  "resumable-stream",
  "tanstack-ai",
];

const files = await readSources(join(import.meta.dirname, "../src"), (path) => !path.includes("/"));
const rooms = roomsOf(files, [...SHARED, ...IMPORTS]);

describe("the folders of ai", () => {
  it("every file but the doors is in a folder of the list", () => {
    expect(rooms.names).toStrictEqual([...SHARED, ...IMPORTS].toSorted());
  });

  it("a folder imports only folders before it, and no import another", () => {
    expect(rooms.back).toStrictEqual([]);
    const between = rooms.arrows.filter((arrow) => arrow.every((room) => IMPORTS.includes(room)));
    expect(between).toStrictEqual([["ai-sdk/page", "ai-sdk"]]);
  });
});

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFileExamples } from "@tm/run-events-conformance/file-examples";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
});

describe("createFileExamples", () => {
  it("finds nothing where there is no file, and makes none for that", () => {
    const { load } = createFileExamples(join(folder, "examples.json"));
    expect(load("any case")).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("returns what was saved by case, in order, each time that the file is opened", () => {
    const file = join(folder, "examples.json");
    const first = { seed: -1, path: "0:1", input: '"\ud83d"' };
    const second = { seed: 2, path: "3", input: "é" };
    createFileExamples(file).save("any case", first);
    createFileExamples(file).save("other case", second);
    createFileExamples(file).save("any case", second);
    const { load } = createFileExamples(file);
    expect(load("any case")).toEqual([first, second]);
    expect(load("other case")).toEqual([second]);
    expect(load("constructor")).toEqual([]);
    expect(readdirSync(folder)).toEqual(["examples.json"]);
  });

  it.each([
    "",
    "[]",
    '{"any case": 1}',
    '{"any case": [{"seed": 0.5, "path": "0", "input": ""}]}',
    '{"any case": [{"seed": 1, "path": "nonsense", "input": ""}]}',
  ])("refuses a file that holds %s, by its name, and leaves it", (text) => {
    const file = join(folder, "examples.json");
    writeFileSync(file, text);
    const { load, save } = createFileExamples(file);
    expect(() => load("any case")).toThrow(file);
    expect(() => save("any case", { seed: 1, path: "0", input: "" })).toThrow(file);
  });

  it("refuses a folder, by its name", () => {
    expect(() => createFileExamples(folder).load("any case")).toThrow(folder);
  });
});

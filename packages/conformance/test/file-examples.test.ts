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
    expect(load("S1 any")).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("gives back by case what was saved, in its order, to whoever opens the file", () => {
    const file = join(folder, "examples.json");
    const first = { seed: -1, path: "0:1", commands: "A:B", input: '"\ud83d"' };
    const second = { seed: 2, path: "3", input: "é" };
    createFileExamples(file).save("S1 any", first);
    createFileExamples(file).save("S2 other", second);
    createFileExamples(file).save("S1 any", second);
    const { load } = createFileExamples(file);
    expect(load("S1 any")).toEqual([first, second]);
    expect(load("S2 other")).toEqual([second]);
    expect(load("constructor")).toEqual([]);
    expect(readdirSync(folder)).toEqual(["examples.json"]);
  });

  it.each(["", "[]", '{"S1 any": 1}', '{"S1 any": [{"seed": 0.5, "path": "0", "input": ""}]}'])(
    "refuses a file that holds %s, by its name, and leaves it",
    (text) => {
      const file = join(folder, "examples.json");
      writeFileSync(file, text);
      const { load, save } = createFileExamples(file);
      expect(() => load("S1 any")).toThrow(file);
      expect(() => save("S1 any", { seed: 1, path: "0", input: "" })).toThrow(file);
    },
  );
});

import { readFileSync } from "node:fs";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import { describe, expect, it } from "vitest";
import { sharedMemoryDoors } from "./shared-memory.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  it("shows the very file that runs the kit on the memory store", () => {
    const file = readFileSync(new URL("./memory.test.ts", import.meta.url), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${file}\`\`\``);
  });

  it("has a row for each clause that has cases", () => {
    const cases = runEventStoreConformance({ name: "any", ...sharedMemoryDoors() });
    const rows = readme.matchAll(/^\| ([SW]\d+) +\| /gm);
    expect(new Set([...rows].map(([, clause]) => clause))).toEqual(
      new Set(cases.map((one) => one.clause)),
    );
  });
});

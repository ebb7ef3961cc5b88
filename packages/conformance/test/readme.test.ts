import { readFileSync } from "node:fs";
import { type ConformanceCase, runEventStoreConformance } from "@tm/run-events-conformance";
import { runHttpConformance, runReaderConformance } from "@tm/run-events-conformance/http";
import { describe, expect, it } from "vitest";
import { follow } from "./http/follow.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** The part under a heading of the second level. */
function section(heading: string): string {
  const [, ...parts] = readme.split("\n## ");
  return parts.find((part) => part.startsWith(`${heading}\n`)) ?? "";
}

function expectRows(heading: string, cases: readonly ConformanceCase[]): void {
  const rows = section(heading).matchAll(/^\| ([SW]\d+) +\| /gm);
  expect(new Set([...rows].map(([, clause]) => clause))).toEqual(
    new Set(cases.map(({ clause }) => clause)),
  );
}

describe("the README", () => {
  it.each([
    ["For adapter authors", "memory.test.ts"],
    ["For server authors", "http/server.test.ts"],
    ["For client authors", "http/follow.ts"],
    ["For client authors", "http/reader.test.ts"],
  ])("shows under %s the very file %s", (heading, path) => {
    const file = readFileSync(new URL(path, import.meta.url), "utf8");
    expect(section(heading)).toContain(`\`\`\`ts\n${file}\`\`\``);
  });

  it("has a row for each clause that has cases", () => {
    const doors = { baseUrl: "http://any.example", tokens: ["a", "b"] } as const;
    expectRows(
      "What is tried of a store",
      runEventStoreConformance({ name: "any", ...sharedMemoryDoors() }),
    );
    expectRows("For server authors", runHttpConformance({ name: "any", ...doors }));
    expectRows("For client authors", runReaderConformance({ name: "any", follow, ...doors }));
  });
});

import { readFileSync } from "node:fs";
import { type ConformanceCase, runEventStoreConformance } from "@tm/run-events-conformance";
import { runHttpConformance, runReaderConformance } from "@tm/run-events-conformance/http";
import { describe, expect, it } from "vitest";
import { readPage } from "./docs-page.ts";
import { follow } from "./http/follow.ts";
import { memoryServerDoors } from "./http/memory-server.ts";
import { type InputKind, PROFILES } from "../src/profile.ts";
import { PROCESS_CALLS } from "../src/processes/process-conformance.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";
import { BIN_COMMAND, startBin, startShell } from "./start-process.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const KINDS: readonly InputKind[] = [
  "sequentialPrograms",
  "concurrentPrograms",
  "races",
  "contests",
  "games",
  "values",
  "wirePrograms",
  "wireValues",
];

/** A block of what a command prints. */
const TEXT_BLOCK = /^```text\n([^]*?)```$/m;

/** The part of the README under a heading of the second level. */
function section(heading: string): string {
  const [, ...parts] = readme.split("\n## ");
  return parts.find((part) => part.startsWith(`${heading}\n`)) ?? "";
}

function expectRows(page: string, cases: readonly ConformanceCase[]): void {
  const rows = readPage(page).matchAll(/^\| ([SW]\d+) +\| /gm);
  expect(new Set([...rows].map(([, clause]) => clause))).toEqual(
    new Set(cases.map(({ clause }) => clause)),
  );
}

/** A file of the tests as a block of Markdown. */
function blockOf(language: string, path: string): string {
  const file = readFileSync(new URL(path, import.meta.url), "utf8");
  return `\`\`\`${language}\n${file}\`\`\``;
}

describe("the README", () => {
  it("has 150 lines at most", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(151);
  });

  it.each([
    ["A store", "ts", "memory.test.ts"],
    ["On the command line", "js", "modules/store.mjs"],
    ["A server", "ts", "http/server.test.ts"],
    ["A client", "ts", "http/reader.test.ts"],
  ])("shows under %s, as %s, the very file %s", (heading, language, path) => {
    expect(section(heading)).toContain(blockOf(language, path));
  });

  it("shows commands that pass unchanged, and what the second one prints, but for seed and time", async () => {
    const commands = [...readme.matchAll(/^npx run-events-conformance (.+)$/gm)];
    expect(commands).toHaveLength(2);
    let printed = "";
    for (const [, args] of commands) {
      const { code, stdout } = await startShell(`${BIN_COMMAND} ${args}`).ended;
      expect(code).toBe(0);
      printed = stdout;
    }
    const [, shown = ""] = TEXT_BLOCK.exec(section("On the command line")) ?? [];
    const masked = (text: string): string =>
      text.replace(/seed -?\d+/, "seed N").replaceAll(/ +[\d.]+ s$/gm, " TIME");
    expect(masked(printed)).toBe(masked(shown));
  });

  it("shows a failure as it is printed", async () => {
    const asked = ["./broken.ts", "--seed", "1", "--case", "one order"];
    const { stdout } = await startBin(...asked).ended;
    const [, shown = ""] = TEXT_BLOCK.exec(section("How to read a failure")) ?? [];
    expect(stdout).toContain(shown);
    expect(shown).not.toBe("");
  });
});

describe("the docs", () => {
  it("show the very file of a client", () => {
    expect(readPage("clients")).toContain(blockOf("ts", "http/follow.ts"));
  });

  it("have a row for each clause that has cases", () => {
    const doors = { baseUrl: "http://any.example", tokens: ["a", "b"] } as const;
    expectRows("stores", runEventStoreConformance({ name: "any", ...sharedMemoryDoors() }));
    const { cookieFor: _, ...server } = memoryServerDoors();
    expectRows("servers", runHttpConformance({ name: "any", ...server }));
    expectRows("clients", runReaderConformance({ name: "any", follow, ...doors }));
  });

  it("show under An example the doors of the SQLite store's test", () => {
    const [, example = ""] = readPage("stores").split("\n### An example\n");
    const [, shown = ""] = /^```ts\n([^]*?)```$/m.exec(example) ?? [];
    const test = new URL("../../sqlite/test/file-doors.ts", import.meta.url);
    expect(readFileSync(test, "utf8")).toContain(shown);
    for (const door of ["leftovers", "cost", "letHoursPass", "refuseWrites"])
      expect(shown).toContain(door);
  });

  it("show under Crashes what the test of the Redis store hands to the kit", () => {
    const [, crashes = ""] = readPage("processes").split("\n## Crashes\n");
    const [, shown = ""] = /^```ts\n([^]*?)```$/m.exec(crashes) ?? [];
    const path = "../../redis/test/process-conformance.test.ts";
    const test = readFileSync(new URL(path, import.meta.url), "utf8");
    expect(test.replaceAll(/^ +/gm, "")).toContain(shown.replaceAll(/^ +/gm, ""));
    expect(shown).toContain("kill");
  });

  it.each(["quick", "ci"] as const)("have the numbers of the profile %s", (name) => {
    const { inputs } = PROFILES[name];
    const cells = KINDS.map((kind) => ` ${inputs[kind]} +\\|`).join("");
    expect(readPage("command-line")).toMatch(new RegExp(`^\\| \`${name}\` +\\|${cells}`, "m"));
  });

  it.each(Object.entries(PROCESS_CALLS))("have the calls of %s in processes", (name, calls) => {
    const row = new RegExp(`^\\| \`${name}\` +\\| ${calls} +\\|`, "m");
    expect(readPage("processes")).toMatch(row);
  });

  it("have a row for each flag of the command", async () => {
    const { stderr } = await startBin().ended;
    const flags = [...stderr.matchAll(/--[a-z]+/g)].map(([flag]) => flag);
    expect(flags).toContain("--json");
    for (const flag of flags) expect(readPage("command-line")).toContain(`\`${flag} `);
  });
});

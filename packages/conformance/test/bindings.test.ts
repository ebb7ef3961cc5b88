import { runEventStoreConformance } from "@tm/run-events-conformance";
import { describe, expect, it } from "vitest";
import { conformance } from "./modules/kept.ts";
import { startBun, startNode } from "./start-process.ts";

/** The runners: how each is started on a file, and how it counts what passed and what failed. */
const RUNNERS = {
  node: {
    start: (file: string) => startNode("--test-reporter=tap", file),
    passed: /^# pass (\d+)$/m,
    failed: /^# fail (\d+)$/m,
    names: ["# Subtest: memory\n", "# Subtest: S16 a new run is queued, without phase or events\n"],
  },
  bun: {
    start: (file: string) => startBun("test", `./${file}`),
    passed: /^ *(\d+) pass$/m,
    failed: /^ *(\d+) fail$/m,
    names: ["(pass) memory > S16 a new run is queued, without phase or events"],
  },
} as const;

describe.each(["node", "bun"] as const)("the binding for %s:test", (name) => {
  const { start, passed, failed, names } = RUNNERS[name];

  it("registers every case under the store's name", async () => {
    const { code, stdout, stderr } = await start(`${name}-kept.ts`).ended;
    const printed = stdout + stderr;
    expect(code).toBe(0);
    for (const part of names) expect(printed).toContain(part);
    const cases = runEventStoreConformance(conformance);
    expect(passed.exec(printed)?.[1]).toBe(String(cases.length));
    expect(failed.exec(printed)?.[1]).toBe("0");
  });

  it("fails for a store that breaks the contract, with the whole failure", async () => {
    const { code, stdout, stderr } = await start(`${name}-broken.ts`).ended;
    const printed = stdout + stderr;
    expect(code).toBe(1);
    expect(failed.exec(printed)?.[1]).toBe("4");
    expect(printed).toContain("To run it again, give the option");
  });
});

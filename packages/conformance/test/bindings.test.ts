import { describe, expect, it } from "vitest";
import { startNode } from "./run-node.ts";

describe("the binding for node:test", () => {
  it("registers every case under the store's name", async () => {
    const { code, stdout } = await startNode("--test-reporter=tap", "node-kept.ts").ended;
    expect(code).toBe(0);
    expect(stdout).toContain("# Subtest: memory\n");
    expect(stdout).toContain("# Subtest: S1 every run counts for itself\n");
    expect(stdout).toMatch(/^# pass 1\d\d$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  it("fails for a store that breaks the contract, with the whole failure", async () => {
    const { code, stdout } = await startNode("--test-reporter=tap", "node-broken.ts").ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^# fail 3$/m);
    expect(stdout).toContain("To run it again, give the option");
  });
});

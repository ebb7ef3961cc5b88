import { describe, expect, it, onTestFinished } from "vitest";
import { findChromium, startPostgres, startRedis } from "../src/index.ts";
import { programsOf } from "../src/require-servers.ts";
import { findTestFiles, patternOf, TIER_PATTERNS, tierOf } from "../src/test-files.ts";
import { ALONE } from "../src/tier-files.ts";
import { parseTier, requireTier } from "../src/tier.ts";

/** Sets the tier that a program sees, for the rest of this test. */
function beInTier(tier: string | undefined): void {
  const before = process.env["TEST_TIER"];
  onTestFinished(() => setTier(before));
  setTier(tier);
}

function setTier(tier: string | undefined): void {
  if (tier === undefined) delete process.env["TEST_TIER"];
  else process.env["TEST_TIER"] = tier;
}

describe("the list of tiers", () => {
  it("has no pattern that decides nothing", () => {
    const decided = Object.values(findTestFiles()).flat().map(patternOf);
    expect(TIER_PATTERNS.filter((entry) => !decided.includes(entry))).toEqual([]);
    expect(ALONE.map(tierOf)).toEqual(ALONE.map(() => "main"));
  });

  it("makes a new file fast in a folder that is, and else main", () => {
    expect(tierOf("packages/core/test/new.test.ts")).toBe("fast");
    expect(tierOf("packages/postgres/test/new.test.ts")).toBe("main");
  });
});

describe("a test file of the tier fast", () => {
  it("is refused a server and a browser", async () => {
    // As the configuration says to this file.
    expect(process.env["TEST_TIER"]).toBe("fast");
    const refused = /^A test file of the tier fast cannot start .*, which the tier main has\./;
    await expect(startPostgres()).rejects.toThrow(refused);
    await expect(startRedis()).rejects.toThrow(refused);
    expect(() => findChromium()).toThrow(refused);
  });

  it("needs nothing of the system", () => {
    expect(programsOf("fast")).toEqual([]);
  });
});

it("a test file of the tier main is refused what only the tier nightly installs", () => {
  beInTier("main");
  const nightly = programsOf("nightly").filter((program) => !programsOf("main").includes(program));
  expect(nightly.map(({ aptPackage }) => aptPackage)).toContain("nginx");
  expect(() => requireTier("nightly", "nginx")).toThrow(
    "A test file of the tier main cannot start nginx, which the tier nightly has.",
  );
});

it("a program that is no test is refused nothing", () => {
  beInTier(undefined);
  expect(() => requireTier("nightly", "nginx")).not.toThrow();
});

it("a tier that does not exist is refused with those that do", () => {
  expect(["fast", "main", "nightly", "", undefined].map(parseTier)).toEqual([
    "fast",
    "main",
    "nightly",
    "main",
    "main",
  ]);
  expect(() => parseTier("weekly")).toThrow(
    "Expected TEST_TIER to be fast, main, nightly or not set, got weekly.",
  );
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { NIGHTLY, parseTier, settingsOf } from "../src/tier.ts";

const ROOT = join(import.meta.dirname, "../../..");

it("the tier nightly has every test file, and main leaves out only files that exist", () => {
  expect(settingsOf("nightly").exclude).toEqual(["**/node_modules/**"]);
  expect(settingsOf("main").exclude).toEqual(["**/node_modules/**", ...NIGHTLY]);
  expect(NIGHTLY.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

it("a tier that does not exist is refused with those that do", () => {
  expect(["main", "nightly", "", undefined].map(parseTier)).toEqual([
    "main",
    "nightly",
    "main",
    "main",
  ]);
  expect(() => parseTier("weekly")).toThrow(
    "Expected TEST_TIER to be main, nightly or not set, got weekly.",
  );
});

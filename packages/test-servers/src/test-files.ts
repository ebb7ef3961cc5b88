import { globSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import type { Tier } from "./tier.ts";
import { TIER_FILES } from "./tier-files.ts";
import type {} from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The tier of this run. */
    readonly tier: Tier;
    /** The profile of the conformance kit on a store's main server. On its variants and other drivers the kit runs nightly, in `ci`. */
    readonly mainProfile: "quick" | "soak";
    /** The time that each random case goes on in the profile `soak`, in milliseconds. */
    readonly soakMs: number;
  }
}

const ROOT = join(import.meta.dirname, "../../..");
const TEST_FILES = ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"];

/** The list, with one pattern for each name in braces: a path is compared at once, where `matchesGlob` takes long. */
export const TIER_PATTERNS: typeof TIER_FILES = TIER_FILES.flatMap(([pattern, tier]) =>
  expandBraces(pattern).map((one) => [one, tier] as const),
);

function expandBraces(pattern: string): readonly string[] {
  const [, before, names = "", after] = /^(.*)\{(.*)\}(.*)$/.exec(pattern) ?? [];
  return before === undefined ? [pattern] : names.split(",").map((one) => before + one + after);
}

/** The smallest tier that runs a test file. */
export function tierOf(file: string): Tier {
  return patternOf(file)?.[1] ?? "main";
}

/** The pattern that decides the tier of a test file. */
export function patternOf(file: string): (typeof TIER_FILES)[number] | undefined {
  return TIER_PATTERNS.findLast(
    ([pattern]) => pattern === file || (pattern.includes("*") && matchesGlob(file, pattern)),
  );
}

/** Every test file, by the smallest tier that runs it. */
export function findTestFiles(): Readonly<Record<Tier, readonly string[]>> {
  const files = globSync(TEST_FILES, { cwd: ROOT, exclude: ["**/node_modules/**"] }).toSorted();
  const filesOf = (tier: Tier): readonly string[] => files.filter((file) => tierOf(file) === tier);
  return { fast: filesOf("fast"), main: filesOf("main"), nightly: filesOf("nightly") };
}

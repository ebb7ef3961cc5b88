import { globSync } from "node:fs";
import { join } from "node:path";
import type { Tier } from "./tier.ts";
import { FAST, MAIN, NIGHTLY } from "./tier-files.ts";
import type {} from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The profile of the conformance kit on a store's main server. */
    readonly mainProfile: "ci" | "soak";
    /** The same on the variants of that server, and on other drivers. */
    readonly variantProfile: "quick" | "ci";
    /** How long each random case goes on in the profile `soak`, in milliseconds. */
    readonly soakMs: number;
  }
}

const ROOT = join(import.meta.dirname, "../../..");
const TEST_FILES = ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"];

/** The smallest tier that runs a test file. A file that no list names belongs to the tier `main`. */
export function tierOf(file: string): Tier {
  if (NIGHTLY.includes(file)) return "nightly";
  if (MAIN.includes(file)) return "main";
  return FAST.some((entry) => file === entry || isInFolder(file, entry)) ? "fast" : "main";
}

function isInFolder(file: string, entry: string): boolean {
  return entry.endsWith("/") && file.startsWith(entry);
}

/** Every test file, by the smallest tier that runs it. */
export function findTestFiles(): Readonly<Record<Tier, readonly string[]>> {
  const files = globSync(TEST_FILES, { cwd: ROOT, exclude: ["**/node_modules/**"] }).toSorted();
  const filesOf = (tier: Tier): readonly string[] => files.filter((file) => tierOf(file) === tier);
  return { fast: filesOf("fast"), main: filesOf("main"), nightly: filesOf("nightly") };
}

import "vitest";

/** How much a run tries. Each tier takes all test files of the one before it. */
export type Tier = "fast" | "main" | "nightly";

declare module "vitest" {
  interface ProvidedContext {
    /** The profile of the conformance kit on variants of a store's main server. In the tier `nightly` the main server's. */
    readonly variantProfile: "quick" | "ci";
  }
}

const TIERS: readonly Tier[] = ["fast", "main", "nightly"];

/** Every test file. */
const ALL: readonly string[] = ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"];

/** Test files that start no server of another project and no browser. */
const FAST: readonly string[] = ["packages/core/test/**/*.test.ts"];

/** Test files that take minutes, and variants of what other files try. */
const NIGHTLY: readonly string[] = [];

/** @throws TypeError unless it is a tier's name, or nothing, which means `main` */
export function parseTier(text: string | undefined): Tier {
  const tier = text === undefined || text === "" ? "main" : TIERS.find((one) => one === text);
  if (tier === undefined) {
    throw new TypeError(`Expected TEST_TIER to be ${TIERS.join(", ")} or not set, got ${text}.`);
  }
  return tier;
}

/** The settings of a tier for vitest. */
export interface TierSettings {
  include: string[];
  exclude: string[];
  provide: { readonly variantProfile: "quick" | "ci" };
}

/** What a run of a tier takes. */
export function settingsOf(tier: Tier): TierSettings {
  return {
    include: [...(tier === "fast" ? FAST : ALL)],
    exclude: ["**/node_modules/**", ...(tier === "main" ? NIGHTLY : [])],
    provide: { variantProfile: tier === "nightly" ? "ci" : "quick" },
  };
}

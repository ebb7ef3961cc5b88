import "vitest";

/** How much a run tries. `main` is what `pnpm test` runs; `nightly` is everything. */
export type Tier = "main" | "nightly";

/** What vitest is told of a tier. */
export interface TierSettings {
  include: string[];
  exclude: string[];
  provide: { readonly variantProfile: "quick" | "ci" };
}

declare module "vitest" {
  interface ProvidedContext {
    /** The profile of the conformance kit on variants of a store's main server. In the tier `nightly` it is the main server's. */
    readonly variantProfile: "quick" | "ci";
  }
}

/** Test files of the tier `nightly` alone: those that take minutes, and variants of what other files try. */
const NIGHTLY: readonly string[] = [
  "apps/acceptance/test/chaos/chaos.test.ts",
  "apps/acceptance/test/packed.test.ts",
  "apps/acceptance/test/ten-processes.test.ts",
  "apps/bench/test/sections.test.ts",
  "apps/examples/test/bullmq.test.ts",
  "apps/examples/test/fastify.test.ts",
  "apps/examples/test/hono.test.ts",
  "apps/examples/test/next.test.ts",
  "apps/examples/test/pg-boss.test.ts",
  "packages/conformance/test/foreign/emmett.test.ts",
  "packages/postgres/test/pooler.test.ts",
];

/** @throws TypeError unless it is a tier's name, or nothing, which means `main` */
export function parseTier(text: string | undefined): Tier {
  if (text === undefined || text === "" || text === "main") return "main";
  if (text === "nightly") return text;
  throw new TypeError(
    `Expected TEST_TIER to be main, nightly or not set, got ${text}. Unset it to run the tier main.`,
  );
}

/** What a run of a tier takes. */
export function settingsOf(tier: Tier): TierSettings {
  const isNightly = tier === "nightly";
  return {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"],
    exclude: ["**/node_modules/**", ...(isNightly ? [] : NIGHTLY)],
    provide: { variantProfile: isNightly ? "ci" : "quick" },
  };
}

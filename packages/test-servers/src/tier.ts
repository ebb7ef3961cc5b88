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

/** Test files of the tier `nightly` alone: those that take minutes, faults on each store, and variants of what other files test. */
export const NIGHTLY: readonly string[] = [
  "apps/acceptance/test/chaos/chaos.test.ts",
  "apps/acceptance/test/cluster-faults.test.ts",
  "apps/acceptance/test/every-byte.test.ts",
  "apps/acceptance/test/kill.test.ts",
  "apps/acceptance/test/packed.test.ts",
  "apps/acceptance/test/shared-store.test.ts",
  "apps/acceptance/test/store-faults.test.ts",
  "apps/acceptance/test/ten-processes.test.ts",
  "apps/bench/test/sections.test.ts",
  "apps/console/test/accessibility.test.ts",
  "apps/console/test/keyboard.test.ts",
  "apps/console/test/many-events.test.ts",
  "apps/console/test/outage.test.ts",
  "apps/console/test/session.test.ts",
  "apps/console/test/timeline.test.ts",
  "apps/examples/test/bullmq.test.ts",
  "apps/examples/test/fastify.test.ts",
  "apps/examples/test/hono.test.ts",
  "apps/examples/test/next.test.ts",
  "apps/examples/test/pg-boss.test.ts",
  "apps/examples/test/proxies.test.ts",
  "apps/server/test/sample.test.ts",
  "packages/client/test/browser/reconnecting.test.ts",
  "packages/client/test/reader-faults.test.ts",
  "packages/conformance/test/foreign/emmett.test.ts",
  "packages/conformance/test/tutorial.test.ts",
  "packages/postgres/test/pooler.test.ts",
  "packages/postgres/test/process-conformance.test.ts",
  "packages/redis/test/cluster.test.ts",
  "packages/redis/test/interleavings.test.ts",
  "packages/redis/test/process-conformance.test.ts",
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

/** How much of the tests a run takes; each takes all of the one before it. */
export type Tier = "fast" | "main" | "nightly";

const TIERS: readonly Tier[] = ["fast", "main", "nightly"];

/** The tier of this run: `TEST_TIER`, `main` by default. */
export const TIER: Tier = parseTier(process.env.TEST_TIER);

function parseTier(text: string | undefined): Tier {
  const tier = text === undefined || text === "" ? "main" : TIERS.find((one) => one === text);
  if (tier === undefined) {
    throw new TypeError(`Expected TEST_TIER to be ${TIERS.join(", ")} or not set, got ${text}.`);
  }
  return tier;
}

/** The profile of the conformance kit on a variant of a store's main server: every night as on the main one. */
export const VARIANT_PROFILE: "quick" | "ci" = TIER === "nightly" ? "ci" : "quick";

/** Of several alternatives the first one, and every night all of them. */
export function firstOrAll<Alternative>(
  alternatives: readonly Alternative[],
): readonly Alternative[] {
  return TIER === "nightly" ? alternatives : alternatives.slice(0, 1);
}

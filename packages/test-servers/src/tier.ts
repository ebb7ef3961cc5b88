/**
 * The extent of a run of the tests. Each tier has all of the one before it: `fast` starts no server and no browser, `main` is what
 * `pnpm test` runs, `nightly` is everything.
 */
export type Tier = "fast" | "main" | "nightly";

/** The tiers, the smallest first. */
const TIERS: readonly Tier[] = ["fast", "main", "nightly"];

/** @throws TypeError unless it is a tier's name, or nothing, which means `main` */
export function parseTier(text: string | undefined): Tier {
  if (text === undefined || text === "") return "main";
  const tier = TIERS.find((name) => name === text);
  if (tier !== undefined) return tier;
  throw new TypeError(
    `Expected TEST_TIER to be ${TIERS.join(", ")} or not set, got ${text}. Unset it to run the tier main.`,
  );
}

/** Whether a tier includes `part`: each tier includes the smaller ones. */
export function includesTier(tier: Tier, part: Tier): boolean {
  return TIERS.indexOf(part) <= TIERS.indexOf(tier);
}

/**
 * Refuses what the tier of this test file does not include. If `TEST_TIER` is not set, as in a benchmark, nothing is refused.
 *
 * @throws Error if the tier does not include `needed`
 */
export function requireTier(needed: Tier, what: string): void {
  const text = process.env["TEST_TIER"];
  if (text === undefined || text === "") return;
  const tier = parseTier(text);
  if (includesTier(tier, needed)) return;
  throw new Error(
    `A test file of the tier ${tier} cannot start ${what}, which the tier ${needed} has. Move the file in tier-files.ts.`,
  );
}

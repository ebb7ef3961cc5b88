/** A model says this many tokens a second. */
export const TOKENS_A_SECOND = 50;

/** What some models say at the same time. */
export interface TokenLoad {
  readonly runs: number;
  /** How many each says. */
  readonly tokens: number;
  /** How long tokens wait for others; `null`: each is an event of its own. */
  readonly mergeMs: number | null;
}

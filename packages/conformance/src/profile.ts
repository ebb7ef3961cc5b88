/** The effort of the kit: `quick` takes seconds, `ci` about a minute for a store on a server, `soak` as long as asked. */
export type ProfileName = "quick" | "ci" | "soak";

/**
 * The inputs of a random case: programs of calls one after the other, programs of several clients that append at once, short races of
 * all calls or of those about one clause, games of readers and a writer whose answers are released in any order, or values
 * alone, as payloads and queries are. Over the wire, where each takes many requests, programs of clients at once and values are counted by
 * themselves.
 */
export type InputKind =
  | "sequentialPrograms"
  | "concurrentPrograms"
  | "races"
  | "contests"
  | "games"
  | "values"
  | "wirePrograms"
  | "wireValues";

/** The sizes of a profile. */
export interface Profile {
  /** The number of inputs that a random case draws on one store, or of one server or reader. */
  readonly inputs: Readonly<Record<InputKind, number>>;
  /** The time that a case may take before it counts as hung, in milliseconds; in `soak` beyond what was asked. */
  readonly timeoutMs: number;
}

/** The time that a random case goes on in `soak` by default, in milliseconds. */
export const DEFAULT_SOAK_MS = 600_000;

const CI: Profile = {
  inputs: {
    sequentialPrograms: 150,
    concurrentPrograms: 300,
    races: 500,
    contests: 80,
    games: 50,
    values: 200,
    wirePrograms: 12,
    wireValues: 20,
  },
  timeoutMs: 300_000,
};

/** `soak` draws what `ci` draws again and again, each time on a fresh store: so no store grows, and no memory with it. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  quick: {
    inputs: {
      sequentialPrograms: 40,
      concurrentPrograms: 50,
      races: 60,
      contests: 15,
      games: 10,
      values: 50,
      wirePrograms: 4,
      wireValues: 5,
    },
    timeoutMs: 60_000,
  },
  ci: CI,
  soak: CI,
};

/** @throws TypeError for an unknown profile or an invalid time */
export function requireDuration(profile: ProfileName, soakMs: number): void {
  if (!Object.hasOwn(PROFILES, profile)) {
    throw new TypeError(
      `Expected a profile (${Object.keys(PROFILES).join(", ")}), got ${profile}.`,
    );
  }
  if (!(soakMs > 0)) throw new TypeError(`Expected \`soakMs\` to be above 0, got ${soakMs}.`);
}

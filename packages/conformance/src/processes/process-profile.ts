import type { ProfileName } from "../profile.ts";

/** The sizes of a profile where processes race. */
export interface ProcessProfile {
  /** The least number of calls that each process makes in a case. */
  readonly calls: number;
}

const CI: ProcessProfile = { calls: 120 };

/** `soak` runs a case of `ci` again and again, each time on a fresh place, with new processes and other draws. */
export const PROCESS_PROFILES: Readonly<Record<ProfileName, ProcessProfile>> = {
  quick: { calls: 40 },
  ci: CI,
  soak: CI,
};

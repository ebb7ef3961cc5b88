import type { ProfileName } from "../profile.ts";
import type { Crew } from "./crew.ts";
import type { Draws } from "./draws.ts";

/** The sizes of a profile where processes race. */
interface ProcessProfile {
  /** The least number of calls that each process makes in a case. */
  readonly calls: number;
}

/** `soak` runs a case of `ci` again and again, each time on a fresh place, with new processes and other draws. */
export const PROCESS_PROFILES: Readonly<Record<ProfileName, ProcessProfile>> = {
  quick: { calls: 40 },
  ci: { calls: 120 },
  soak: { calls: 120 },
};

/** The tools of a case. */
export interface ProcessTrial {
  readonly crew: Crew;
  readonly draws: Draws;
  readonly profile: ProcessProfile;
}

/** One promise, tried from many processes. The name starts with the clause. */
export interface ProcessCase {
  readonly name: string;
  readonly run: (trial: ProcessTrial) => Promise<void>;
}

import type { Crew } from "./crew.ts";
import type { Draws } from "./draws.ts";

/** The tools of a case. */
export interface ProcessTrial {
  readonly crew: Crew;
  readonly draws: Draws;
  /** The least number of calls that each process makes. */
  readonly calls: number;
}

/** One promise, tried from many processes. The name starts with the clause. */
export interface ProcessCase {
  readonly name: string;
  readonly run: (trial: ProcessTrial) => Promise<void>;
}

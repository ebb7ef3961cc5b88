import type { ListStatements } from "./list.ts";
import type { Tables } from "../tables.ts";

/** The texts of the store's statements. A session keeps nothing between two of them. */
export interface Statements extends Tables, ListStatements {
  readonly append: string;
  readonly appendEach: string;
  readonly appendToOne: string;
  readonly lockJoined: string;
  readonly appendJoined: string;
  readonly selectReceipts: string;
  readonly read: string;
  readonly selectRun: string;
  readonly createRun: string;
  readonly createClaimed: string;
  readonly deleteRun: string;
  readonly claim: string;
  readonly renew: string;
  readonly release: string;
  readonly listExpired: string;
  readonly listIdle: string;
  readonly purge: string;
  readonly purgeOne: string;
  readonly selectPositions: string;
  readonly notify: string;
  readonly probe: string;
}

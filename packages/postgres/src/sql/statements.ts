import type { ListStatements } from "./list.ts";
import type { Tables } from "../tables.ts";

/** The texts of the store's statements. A session keeps nothing between two of them. */
export interface Statements extends Tables, ListStatements {
  readonly append: string;
  readonly appendToOne: string;
  readonly see: string;
  readonly commit: string;
  readonly commitHeld: string;
  readonly save: string;
  readonly lock: string;
  readonly lockJoined: string;
  readonly seeJoined: string;
  readonly saveJoined: string;
  readonly read: string;
  readonly selectPositions: string;
  readonly notify: string;
  readonly probe: string;
}

import { appendStatement, appendToOneStatement } from "./sql/append.ts";
import { commitStatement, saveStatement } from "./sql/commit.ts";
import { lockJoinedStatement, saveJoinedStatement, seeJoinedStatement } from "./sql/join.ts";
import { type ListStatements, listStatements } from "./sql/list.ts";
import { lockStatement } from "./sql/lock.ts";
import { needsStatement } from "./sql/needs.ts";
import { selectPositionsStatement } from "./sql/positions.ts";
import { probeStatement } from "./sql/probe.ts";
import { readStatement } from "./sql/read.ts";
import { seeStatement } from "./sql/see.ts";
import { type Tables, tablesOf } from "./tables.ts";

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
  readonly needs: string;
  readonly probe: string;
}

/**
 * Creates the statements for a schema.
 * @throws TypeError as `tablesOf`
 */
export function createStatements(schema: string): Statements {
  const tables = tablesOf(schema);
  return {
    ...tables,
    append: appendStatement(tables),
    appendToOne: appendToOneStatement(tables),
    see: seeStatement(tables),
    commit: commitStatement(tables, "SKIP LOCKED"),
    commitHeld: commitStatement(tables, ""),
    save: saveStatement(tables),
    lock: lockStatement(tables),
    lockJoined: lockJoinedStatement(tables),
    seeJoined: seeJoinedStatement(tables),
    saveJoined: saveJoinedStatement(tables),
    read: readStatement(tables),
    ...listStatements(tables),
    selectPositions: selectPositionsStatement(tables),
    notify: "SELECT pg_notify($1, changes) FROM unnest($2::text[]) AS q (changes)",
    needs: needsStatement(tables),
    probe: probeStatement(tables),
  };
}

import type { Statements } from "./sql/statements.ts";
import { appendEachStatement } from "./sql/append-each.ts";
import { appendToOneStatement } from "./sql/append-to-one.ts";
import { appendStatement } from "./sql/append.ts";
import { appendJoinedStatement, lockJoinedStatement } from "./sql/join.ts";
import { listExpiredStatement, listIdleStatement, purgeStatement } from "./sql/due.ts";
import { claimStatement, releaseStatement, renewStatement } from "./sql/lease.ts";
import { listStatements } from "./sql/list.ts";
import { selectPositionsStatement } from "./sql/positions.ts";
import { probeStatement } from "./sql/probe.ts";
import { readStatement } from "./sql/read.ts";
import { selectReceiptsStatement } from "./sql/receipts.ts";
import {
  createClaimedStatement,
  createRunStatement,
  deleteRunStatement,
  selectRunStatement,
} from "./sql/run.ts";
import { tablesOf } from "./tables.ts";

/**
 * Creates the statements for a schema.
 * @throws TypeError as `tablesOf`
 */
export function createStatements(schema: string): Statements {
  const tables = tablesOf(schema);
  return {
    ...tables,
    append: appendStatement(tables),
    appendEach: appendEachStatement(tables),
    appendToOne: appendToOneStatement(tables),
    lockJoined: lockJoinedStatement(tables),
    appendJoined: appendJoinedStatement(tables),
    selectReceipts: selectReceiptsStatement(tables),
    read: readStatement(tables),
    selectRun: selectRunStatement(tables),
    createRun: createRunStatement(tables),
    createClaimed: createClaimedStatement(tables),
    deleteRun: deleteRunStatement(tables),
    claim: claimStatement(tables),
    renew: renewStatement(tables),
    release: releaseStatement(tables),
    listExpired: listExpiredStatement(tables),
    listIdle: listIdleStatement(tables),
    purge: purgeStatement(tables, "SKIP LOCKED"),
    // Waits for the transaction that holds a run.
    purgeOne: purgeStatement(tables, ""),
    ...listStatements(tables),
    selectPositions: selectPositionsStatement(tables),
    notify: "SELECT pg_notify($1, changes) FROM unnest($2::text[]) AS q (changes)",
    probe: probeStatement(tables),
  };
}

import type { RunStatus } from "@tm/run-events-core";
import type { Plain, PlainLanding } from "@tm/run-events-core/store";
import { isKeyTaken } from "./failure.ts";
import { type PlainRun, planPlains } from "./plan-plains.ts";
import type { Query } from "./query.ts";
import type { RunChange } from "./run-changes.ts";
import { encodeMany, encodeOne } from "./sql/append.ts";
import type { BigintColumn } from "./sql/columns.ts";
import type { Statements } from "./statements.ts";

/** A run that took what was appended. */
interface LandedRow {
  /** Its position in the statement, from 1. */
  readonly at: BigintColumn;
  readonly ordinal: BigintColumn;
  /** Its last sequence before. */
  readonly base: BigintColumn;
  readonly runStatus: RunStatus;
  readonly phase: string | null;
  readonly leaseExpiresAtMs: BigintColumn | null;
}

/** Where plains landed, and which runs have moved. */
export interface Landed {
  readonly landings: readonly (PlainLanding | null)[];
  readonly changes: readonly RunChange[];
}

/**
 * Appends the plain case in one statement. If a key has landed before, the unique index rolls back the whole statement, and all are left to
 * a change.
 */
export async function appendPlains(
  query: Query,
  sql: Statements,
  plains: readonly Plain[],
): Promise<Landed> {
  const runs = planPlains(plains);
  const landings: (PlainLanding | null)[] = plains.map(() => null);
  const changes: RunChange[] = [];
  for (const row of await send(query, sql, runs)) {
    const run = runs[Number(row.at) - 1];
    if (run !== undefined) changes.push(...land(run, row, plains, landings));
  }
  return { landings, changes };
}

async function send(
  query: Query,
  sql: Statements,
  runs: readonly PlainRun[],
): Promise<readonly LandedRow[]> {
  const [one, another] = runs;
  try {
    const rows =
      one !== undefined && another === undefined
        ? await query(sql.appendToOne, encodeOne(one))
        : await query(sql.append, encodeMany(runs));
    return rows as readonly LandedRow[];
  } catch (error) {
    if (isKeyTaken(error)) return [];
    throw error;
  }
}

/** Records where the plains of a run landed. @returns its position, if it has new events */
function land(
  { ownerId, runId, indexes, events }: PlainRun,
  row: LandedRow,
  plains: readonly Plain[],
  landings: (PlainLanding | null)[],
): readonly RunChange[] {
  const { runStatus, phase } = row;
  const leaseExpiresAtMs = row.leaseExpiresAtMs === null ? null : Number(row.leaseExpiresAtMs);
  let lastSequence = Number(row.base);
  for (const index of indexes) {
    const firstSequence = lastSequence + 1;
    lastSequence += plains[index]?.events.length ?? 0;
    landings[index] = { firstSequence, lastSequence, runStatus, phase, leaseExpiresAtMs };
  }
  return events.length === 0
    ? []
    : [{ ownerId, runId, ordinal: Number(row.ordinal), lastSequence }];
}

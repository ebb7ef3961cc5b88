import type { ListQuery } from "@tm/run-events-core/store";
import type { Pool } from "pg";
import type { RunFacts } from "./stream-run.ts";

/** The runs of one store, in a table next to Emmett's. */
export interface FactsTable {
  migrate(): Promise<void>;
  /** @returns the new run, or `null` if the id is taken */
  insert(run: Omit<RunFacts, "ordinal">): Promise<RunFacts | null>;
  get(runId: string): Promise<RunFacts | null>;
  /** An owner's, newest first. */
  list(query: Pick<ListQuery, "ownerId" | "before">): Promise<readonly RunFacts[]>;
}

const COLUMNS = `run_id AS "runId", owner_id AS "ownerId", ordinal::int4, created_at_ms::float8 AS "createdAtMs", metadata, topic`;

/** @param scope keeps the stores apart that share the table */
export function createFactsTable(pool: Pool, scope: string): FactsTable {
  async function select(sql: string, values: readonly unknown[]): Promise<readonly RunFacts[]> {
    return (await pool.query<RunFacts>(sql, [scope, ...values])).rows;
  }

  return {
    async migrate() {
      await pool.query(`BEGIN; SELECT pg_advisory_xact_lock(1);
        CREATE TABLE IF NOT EXISTS runs (scope text, run_id text, owner_id text NOT NULL, metadata text NOT NULL, topic text,
          ordinal bigint GENERATED ALWAYS AS IDENTITY, created_at_ms bigint NOT NULL, PRIMARY KEY (scope, run_id));
        COMMIT`);
    },
    async insert({ runId, ownerId, metadata, topic, createdAtMs }) {
      const rows = await select(
        `INSERT INTO runs (scope, run_id, owner_id, metadata, topic, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
        [runId, ownerId, metadata, topic, createdAtMs],
      );
      return rows[0] ?? null;
    },
    async get(runId) {
      const rows = await select(`SELECT ${COLUMNS} FROM runs WHERE scope = $1 AND run_id = $2`, [
        runId,
      ]);
      return rows[0] ?? null;
    },
    list: ({ ownerId, before }) =>
      select(
        `SELECT ${COLUMNS} FROM runs WHERE scope = $1 AND owner_id = $2 AND ($3::bigint IS NULL OR ordinal < $3)
         ORDER BY runs.ordinal DESC`,
        [ownerId, before],
      ),
  };
}

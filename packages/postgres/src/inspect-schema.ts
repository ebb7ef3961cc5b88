import { RunEventsError } from "@tm/run-events-core";
import type { StoreCapabilities } from "@tm/run-events-core/store";
import type { Query } from "./query.ts";
import { FIRST_MIGRATION, MIGRATION_COUNT } from "./schema.ts";
import { ON_PRIMARY } from "./sql/columns.ts";
import type { Tables } from "./tables.ts";

/** The state of the server and the schema. */
export interface SchemaState {
  /** Whether every migration that this program knows was applied. */
  readonly complete: boolean;
  readonly durability: StoreCapabilities["durability"];
}

interface ServerRow {
  readonly migrated: boolean;
  readonly commits: string;
  readonly fsync: string;
}

/**
 * Checks the server and the schema: how durable a commit is, and everything that the tables need to keep the contract. Also
 * throws what the driver throws, as for a standby.
 * @throws RunEventsError `store_unavailable`: not retryable for a newer schema that this program must not touch, for a unique
 * index that is missing or not valid, and for rows that are hidden from the user
 * @see clauses S6, S10 and S19 in `STORE.md`
 */
export async function inspectSchema(query: Query, tables: Tables): Promise<SchemaState> {
  const [server] = (await query(
    `SELECT to_regclass($1) IS NOT NULL AS migrated,
       current_setting('synchronous_commit') AS commits, current_setting('fsync') AS fsync
     WHERE ${ON_PRIMARY}`,
    [tables.migrations],
  )) as readonly ServerRow[];
  const durability = durabilityOf(server?.commits, server?.fsync);
  if (!server?.migrated) return { complete: false, durability };
  const complete = await hasMigrations(query, tables);
  if (complete) await inspectTables(query, tables);
  return { complete, durability };
}

/**
 * Whether every migration that this program knows was applied.
 * @throws RunEventsError for a newer migration that breaks this program
 */
async function hasMigrations(query: Query, { migrations }: Tables): Promise<boolean> {
  const rows = (await query(`SELECT migration, breaking FROM ${migrations}`)) as readonly {
    readonly migration: number;
    readonly breaking: boolean;
  }[];
  if (rows.some((row) => row.breaking && row.migration >= FIRST_MIGRATION + MIGRATION_COUNT)) {
    throw lasting("The tables are of a newer, incompatible schema: update this program.");
  }
  if (rows.some((row) => row.migration < FIRST_MIGRATION)) {
    throw lasting(
      "Expected tables of this program's format, but these are of an earlier one, which it cannot read. Let it make new tables in another `schema`; the program that made these still reads them.",
    );
  }
  const applied = new Set(rows.map((row) => row.migration));
  return Array.from({ length: MIGRATION_COUNT }, (_, at) => FIRST_MIGRATION + at).every((one) =>
    applied.has(one),
  );
}

/** The columns of each table's unique indexes, as Postgres prints them. A rebuild may rename the indexes. */
const UNIQUE = {
  runs: [
    "run_key",
    "owner_id, run_id",
    "owner_id, topic WHERE (exclusive AND (due_kind <> 'finished'::text))",
  ],
  events: ["run_key, sequence", "run_key, idempotency_key WHERE (idempotency_key IS NOT NULL)"],
} as const;

interface TableRow {
  readonly hidden: boolean;
  /** One a line. */
  readonly indexes: string;
}

/** `hidden` is true where row-level security applies to the user, and no policy lets it see a row. */
const INSPECT_TABLE = `
SELECT row_security_active(t.oid) AND NOT EXISTS (
    SELECT FROM pg_policy p, unnest(p.polroles) AS r (oid)
    WHERE p.polrelid = t.oid AND p.polpermissive AND p.polcmd IN ('r', '*')
      AND (r.oid = 0 OR pg_has_role(r.oid, 'USAGE'))
  ) AS hidden,
  array_to_string(ARRAY(
    SELECT (
      SELECT string_agg(a.attname, ', ' ORDER BY k.at) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, at)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE k.at <= i.indnkeyatts
    ) || coalesce(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), '')
    FROM pg_index i
    WHERE i.indrelid = t.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready
  ), chr(10)) AS indexes
FROM (SELECT $1::text::regclass::oid) AS t (oid)`;

async function inspectTables(query: Query, tables: Tables): Promise<void> {
  for (const name of ["runs", "events"] as const) {
    const table = tables[name];
    const [found] = (await query(INSPECT_TABLE, [table])) as readonly TableRow[];
    if (found?.hidden) {
      throw lasting(
        `Row-level security hides every row of ${table} from this user: give it a policy or BYPASSRLS.`,
      );
    }
    const indexes = found?.indexes.split("\n") ?? [];
    for (const unique of UNIQUE[name]) {
      // An index without the condition guards more rows.
      const [columns = ""] = unique.split(" WHERE ");
      if (indexes.includes(unique) || indexes.includes(columns)) continue;
      throw lasting(
        `Expected a valid unique index on ${table} (${columns}), but found none: create it as in \`printMigrations\`, or REINDEX it.`,
      );
    }
  }
}

function lasting(message: string): RunEventsError {
  return new RunEventsError("store_unavailable", message, { retryable: false });
}

/** Without `fsync`, a commit survives only a crash of processes. With `synchronous_commit` off, a crash of the server loses the last ones. */
function durabilityOf(
  commits: string | undefined,
  fsync: string | undefined,
): StoreCapabilities["durability"] {
  if (commits === undefined || commits === "off") return "unknown";
  return fsync === "on" ? "power" : "process";
}

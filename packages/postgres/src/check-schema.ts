import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type { Query } from "./query.ts";
import { MIGRATION_COUNT, printMigrations } from "./schema.ts";
import { ON_PRIMARY } from "./sql/columns.ts";
import type { Statements } from "./statements.ts";

interface ServerRow {
  readonly migrated: boolean;
  readonly commits: string;
  readonly fsync: string;
}

/**
 * The last check of one store's server and tables: how durable a commit is, and everything that the tables need to keep the contract. A check
 * also throws what the driver throws, as for a standby.
 * @see clauses S6, S10 and S19 in `STORE.md`
 */
export class SchemaCheck {
  readonly #query: Query;
  readonly #sql: Statements;
  readonly #schema: string;
  #durability: RunEventStore["capabilities"]["durability"] = "unknown";
  #isVerified = false;
  #verifying: Promise<void> | null = null;

  constructor(query: Query, sql: Statements, schema: string) {
    this.#query = query;
    this.#sql = sql;
    this.#schema = schema;
  }

  /** The durability of a commit, as of the last check. */
  get durability(): RunEventStore["capabilities"]["durability"] {
    return this.#durability;
  }

  get isVerified(): boolean {
    return this.#isVerified;
  }

  /** Checks once for each store, so that an old program does not write into a newer schema, nor a new one into an older. */
  verifyOnce(): Promise<void> {
    if (this.#isVerified) return Promise.resolve();
    this.#verifying ??= this.verify().finally(() => (this.#verifying = null));
    return this.#verifying;
  }

  /**
   * Checks again. Appends go on meanwhile, and stop if it fails.
   * @param query sends the statements
   */
  async verify(query: Query = this.#query): Promise<void> {
    try {
      if (!(await this.#inspect(query))) {
        throw lasting("The tables are missing or of an older schema: call `migrate()`.");
      }
      this.#isVerified = true;
    } catch (error) {
      this.#isVerified = false;
      throw error;
    }
  }

  async migrate(): Promise<void> {
    if (!(await this.#inspect(this.#query))) {
      await this.#query(printMigrations(this.#schema)).catch(async (error: unknown) => {
        // Where the default isolation is stricter than READ COMMITTED, a migration that waited for another one fails because of it.
        if (!(await this.#inspect(this.#query))) throw error;
      });
    }
    await this.verify();
  }

  /** @returns whether every migration that this program knows was applied */
  async #inspect(query: Query): Promise<boolean> {
    const { migrations, needs } = this.#sql;
    const [server] = (await query(
      `SELECT to_regclass($1) IS NOT NULL AS migrated,
         current_setting('synchronous_commit') AS commits, current_setting('fsync') AS fsync
       WHERE ${ON_PRIMARY}`,
      [migrations],
    )) as readonly ServerRow[];
    this.#durability = durabilityOf(server);
    if (!server?.migrated) return false;
    const rows = await query(`SELECT migration, breaking FROM ${migrations}`);
    const isComplete = hasMigrations(rows as readonly MigrationRow[]);
    if (isComplete) await query(needs);
    return isComplete;
  }
}

/** Without `fsync`, a commit survives only a crash of processes. With `synchronous_commit` off, a crash of the server loses the last ones. */
function durabilityOf(server: ServerRow | undefined): RunEventStore["capabilities"]["durability"] {
  if (server === undefined || server.commits === "off") return "unknown";
  return server.fsync === "on" ? "power" : "process";
}

interface MigrationRow {
  readonly migration: number;
  readonly breaking: boolean;
}

/** @throws RunEventsError for a newer migration that breaks this program */
function hasMigrations(rows: readonly MigrationRow[]): boolean {
  if (rows.some((row) => row.breaking && row.migration > MIGRATION_COUNT)) {
    throw lasting("The tables are of a newer, incompatible schema: update this program.");
  }
  const applied = new Set(rows.map((row) => row.migration));
  return Array.from({ length: MIGRATION_COUNT }).every((_, at) => applied.has(at + 1));
}

function lasting(message: string): RunEventsError {
  return new RunEventsError("store_unavailable", message, { retryable: false });
}

import { RunEventsError } from "@tm/run-events-core";
import type { StoreCapabilities } from "@tm/run-events-core/store";
import { inspectSchema } from "./inspect-schema.ts";
import type { Query } from "./query.ts";
import { printMigrations } from "./schema.ts";
import type { Statements } from "./sql/statements.ts";

/** The last check of one store's server and tables. */
export class SchemaCheck {
  readonly #query: Query;
  readonly #sql: Statements;
  readonly #schema: string;
  #durability: StoreCapabilities["durability"] = "unknown";
  #isVerified = false;
  #verifying: Promise<void> | null = null;

  constructor(query: Query, sql: Statements, schema: string) {
    this.#query = query;
    this.#sql = sql;
    this.#schema = schema;
  }

  /** How durable a commit is, as of the last check. */
  get durability(): StoreCapabilities["durability"] {
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
   * @param connection sends the statements
   */
  async verify(connection: Query = this.#query): Promise<void> {
    try {
      if (!(await this.#inspect(connection))) throw schemaMissing();
      this.#isVerified = true;
    } catch (error) {
      this.#isVerified = false;
      throw error;
    }
  }

  async migrate(): Promise<void> {
    if (!(await this.#inspect(this.#query))) {
      await this.#query(printMigrations(this.#schema)).catch(async (error: unknown) => {
        // Where the default isolation is stricter than READ COMMITTED, a migration that waited for another one fails on it.
        if (!(await this.#inspect(this.#query))) throw error;
      });
    }
    await this.verify();
  }

  async #inspect(connection: Query): Promise<boolean> {
    const { complete, durability } = await inspectSchema(connection, this.#sql);
    this.#durability = durability;
    return complete;
  }
}

function schemaMissing(): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    "The tables are missing or of an older schema: call `migrate()`.",
    { retryable: false },
  );
}

export type {
  OnChannel,
  PgClient,
  PGliteDatabase,
  PgPool,
  PgStatement,
  PostgresDriver,
  PostgresPool,
  PostgresQueryable,
  StatementSettings,
} from "./driver.ts";
export type { JoinedAppend } from "./join-transaction.ts";
export type { PostgresStore, PostgresStoreOptions } from "./postgres-store.ts";
export { createPostgresStore } from "./postgres-store.ts";
export { printMigrations } from "./schema.ts";

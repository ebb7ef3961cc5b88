export type {
  PostgresNotification,
  PostgresPool,
  PostgresPoolClient,
  PostgresQueryable,
  PostgresStatement,
} from "./driver.ts";
export type { JoinedAppend } from "./join-transaction.ts";
export type { PostgresStore, PostgresStoreOptions } from "./postgres-store.ts";
export { createPostgresStore } from "./postgres-store.ts";
export { printMigrations } from "./schema.ts";

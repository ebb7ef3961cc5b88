export type { JoinedAppend } from "@tm/run-events-core/store";
export type {
  SqliteDatabase,
  SqliteObjectStorage,
  SqliteStatement,
  SqliteValue,
} from "./driver.ts";
export type { SqliteStore, SqliteStoreOptions } from "./sqlite-store.ts";
export { createSqliteStore } from "./sqlite-store.ts";

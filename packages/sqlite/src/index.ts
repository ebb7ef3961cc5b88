export type { SqliteDatabase, SqliteStatement, SqliteValue } from "./driver.ts";
export type { JoinedAppend, SqliteStore, SqliteStoreOptions } from "./sqlite-store.ts";
export { createSqliteStore } from "./sqlite-store.ts";

export type { PostgresDriver, PostgresQueryable } from "../driver.ts";
export type { PostgresJsQueryable, PostgresJsSql } from "./driver.ts";
export { clientOf, fromPostgresJs } from "./from-postgres-js.ts";

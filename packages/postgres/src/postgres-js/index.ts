export type { PostgresPool, PostgresQueryable } from "../driver.ts";
export type {
  PostgresJsQuery,
  PostgresJsQueryable,
  PostgresJsSql,
  PostgresJsTransaction,
} from "./driver.ts";
export { clientOf, fromPostgresJs } from "./from-postgres-js.ts";

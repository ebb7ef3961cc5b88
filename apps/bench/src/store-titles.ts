import type { ReplayStore } from "./replay-log.ts";

/** The names of the stores in tables. */
export const STORE_TITLES: Readonly<Record<ReplayStore, string>> = {
  sqlite: "SQLite",
  memory: "memory",
  postgres: "Postgres",
  redis: "Redis",
};

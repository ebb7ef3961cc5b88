import type { SqliteStatement } from "../src/index.ts";
import type { Handle } from "./drivers.ts";

/** Counts the statements that run on a handle from now on. @returns how many there were so far */
export function countStatements(db: Handle): () => number {
  let statements = 0;
  const prepare: (sql: string) => SqliteStatement = db.prepare.bind(db);
  Object.assign(db, {
    prepare(sql: string) {
      const statement = prepare(sql);
      for (const name of ["run", "get", "all", "iterate"] as const) {
        const real: (...values: readonly unknown[]) => unknown = statement[name].bind(statement);
        Object.assign(statement, {
          [name](...values: readonly unknown[]) {
            statements += 1;
            return real(...values);
          },
        });
      }
      return statement;
    },
  });
  return () => statements;
}

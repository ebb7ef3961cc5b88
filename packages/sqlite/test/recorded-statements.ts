import type { SqliteDatabase, SqliteStatement } from "../src/index.ts";
import { prepareStatements } from "../src/statements.ts";
import { tablesOf } from "../src/tables.ts";

/** The texts of a handle's statements. */
export interface RecordedStatements {
  /** In the order in which they were prepared. */
  readonly prepared: readonly string[];
  /** In the order in which they ran, each as often as it ran. */
  readonly ran: readonly string[];
}

/**
 * Records the statements that are prepared on a handle from now on, and their runs.
 * @param onRun called before a statement runs
 */
export function recordStatements(
  db: SqliteDatabase,
  onRun: (text: string) => void = () => {},
): RecordedStatements {
  const prepared: string[] = [];
  const ran: string[] = [];
  const prepare: (sql: string) => SqliteStatement = db.prepare.bind(db);
  Object.assign(db, {
    prepare(sql: string) {
      prepared.push(sql);
      const statement = prepare(sql);
      for (const name of ["run", "get", "all"] as const) {
        const real: (...values: readonly unknown[]) => unknown = statement[name].bind(statement);
        Object.assign(statement, {
          [name](...values: readonly unknown[]) {
            ran.push(sql);
            onRun(sql);
            return real(...values);
          },
        });
      }
      return statement;
    },
  });
  return { prepared, ran };
}

/** The texts of all statements that the store prepares for its tables, which have to exist. */
export function textsOf(db: SqliteDatabase): readonly string[] {
  const texts: string[] = [];
  prepareStatements(
    {
      exec: (sql) => db.exec(sql),
      prepare(sql) {
        texts.push(sql);
        return db.prepare(sql);
      },
    },
    tablesOf("run_events_"),
  );
  return texts;
}

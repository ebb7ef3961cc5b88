import type { SqliteDatabase } from "../src/index.ts";

/** A handle that counts how often a store polls for the commits of others. */
export function countPolls(db: SqliteDatabase): {
  readonly handle: SqliteDatabase;
  readonly polls: () => number;
} {
  let polls = 0;
  const handle: SqliteDatabase = {
    exec: (sql) => db.exec(sql),
    prepare(sql) {
      const statement = db.prepare(sql);
      if (sql !== "PRAGMA data_version") return statement;
      return {
        run: (...values) => statement.run(...values),
        all: (...values) => statement.all(...values),
        get(...values) {
          polls += 1;
          return statement.get(...values);
        },
      };
    },
    get inTransaction() {
      return db.inTransaction ?? db.isTransaction ?? false;
    },
  };
  return { handle, polls: () => polls };
}

import type { SqliteDatabase } from "../src/index.ts";

/** A handle that counts how often a store looks for the commits of others. */
export function countLooks(db: SqliteDatabase): {
  readonly handle: SqliteDatabase;
  readonly looks: () => number;
} {
  let looks = 0;
  const handle: SqliteDatabase = {
    exec: (sql) => db.exec(sql),
    prepare(sql) {
      const statement = db.prepare(sql);
      if (sql !== "PRAGMA data_version") return statement;
      return {
        run: (...values) => statement.run(...values),
        all: (...values) => statement.all(...values),
        iterate: (...values) => statement.iterate(...values),
        get(...values) {
          looks += 1;
          return statement.get(...values);
        },
      };
    },
    get inTransaction() {
      return db.inTransaction ?? db.isTransaction ?? false;
    },
  };
  return { handle, looks: () => looks };
}

import type { PGliteDatabase, PostgresDriver } from "./driver.ts";

const OPEN = "A transaction is open on the database, which was begun with BEGIN.";

/**
 * Makes a driver of a PGlite database. It runs statements between the transactions that a program begins with `BEGIN`, since inside one the
 * program could roll back what was acknowledged. PGlite itself keeps statements out of the transactions of its `transaction()`.
 */
export function driverOfPGlite(db: PGliteDatabase): PostgresDriver {
  const refuse = (): void => {
    if (db.isInTransaction?.() === true) throw Object.assign(new Error(OPEN), { code: "25001" });
  };
  // PGlite looks up the serializer of each value when it is the statement's turn, and nothing comes between that and the statement.
  const options = { serializers: new Proxy({}, { get: refuse }) };
  return {
    query: (text, values) => db.query(text, values, options),
    transact: null,
    listen: null,
  };
}

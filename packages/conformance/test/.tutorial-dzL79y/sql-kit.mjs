import { runEventStoreConformance } from "@tm/run-events-conformance";
import pg from "pg";
import { newPlace, openPool } from "./place.mjs";
import { openSqlStore } from "./sql-store.mjs";

/** A pool that counts its statements and may refuse writes. */
function openDoor(url) {
  const door = { statements: 0, isReadOnly: false };
  class Client extends pg.Client {
    query(query, ...rest) {
      door.statements += 1;
      const refuses = door.isReadOnly && query === "BEGIN ISOLATION LEVEL READ COMMITTED";
      return super.query(refuses ? `${query} READ ONLY` : query, ...rest);
    }
  }
  return Object.assign(door, { pool: openPool(url, Client) });
}

const cases = runEventStoreConformance({
  name: "sql",
  profile: "quick",
  prepare: async () => ({ url: await newPlace(), doors: new Map() }),
  async open({ url, doors }) {
    const door = openDoor(url);
    const store = await openSqlStore(door.pool);
    doors.set(store, door);
    await store.migrate();
    return store;
  },
  async destroy({ doors }) {
    for (const { pool } of doors.values()) await pool.end();
  },
  cost: ({ doors }) => ({
    statements: [...doors.values()].reduce((sum, { statements }) => sum + statements, 0),
  }),
  refuseWrites({ doors }, store) {
    const door = doors.get(store);
    door.isReadOnly = true;
    return () => {
      door.isReadOnly = false;
    };
  },
});

for (const { run } of cases) {
  try {
    await run();
  } catch (error) {
    console.log(error.message);
    process.exit(1);
  }
}
console.log("Every clause is kept.");

import { describeValue } from "@tm/run-events-core/wire";
import type { PgPool, PostgresDriver, PostgresPool } from "./driver.ts";
import { driverOfPg } from "./pg-driver.ts";
import { driverOfPGlite } from "./pglite-driver.ts";

/**
 * Checks that the store can use this pool.
 * @param name its name for the caller
 * @throws TypeError with what was expected, and what came
 */
export function checkPool(pool: unknown, name: "pool" | "listenPool"): void {
  const { query, connect, transact, ending, closed } = Object(pool) as Readonly<
    Record<string, unknown>
  >;
  const reaches = typeof (connect ?? transact) === "function";
  // A connection takes one transaction at a time, and none once it has broken.
  const isClient = reaches && "connectionParameters" in Object(pool);
  const isPool = typeof query === "function" && !isClient && (reaches || name === "pool");
  if (isPool && ending !== true && closed !== true) return;
  const expected = name === "pool" ? ", `fromPostgresJs(sql)` or a PGlite database" : "";
  // A URL may have a password.
  const came = typeof pool === "string" ? "a text" : describeValue(pool);
  throw new TypeError(
    `Expected \`${name}\` to be a pg \`Pool\`${expected} that has not been ended. Got ${isPool ? "one that has been ended" : came}.`,
  );
}

/** The driver of what the caller passed. */
export function driverOf(pool: PostgresPool): PostgresDriver {
  if ("transact" in pool) return pool;
  return isPg(pool) ? driverOfPg(pool) : driverOfPGlite(pool);
}

/** Whether it is a pool of one connection, which a listener would take. */
export function isOfOne(pool: PostgresPool): boolean {
  return isPg(pool) && pool.options?.max === 1;
}

function isPg(pool: PostgresPool): pool is PgPool {
  return "connect" in pool;
}

import { DatabaseSync } from "node:sqlite";
import Database from "better-sqlite3";

/** Settings of a handle that both drivers have, under different names. */
export interface HandleOptions {
  readonly readOnly?: boolean;
  /** The driver's most unusual row shape. */
  readonly oddRows?: boolean;
}

export type Handle = Database.Database | DatabaseSync;

/** A driver that the store is tested on. */
export interface Driver {
  readonly name: DriverName;
  open(file: string, options?: HandleOptions): Handle;
}

export type DriverName = "better-sqlite3" | "node:sqlite";

export const DRIVERS: readonly Driver[] = [
  {
    name: "better-sqlite3",
    open(file, { readOnly = false, oddRows = false } = {}) {
      return new Database(file, { readonly: readOnly }).defaultSafeIntegers(oddRows);
    },
  },
  {
    name: "node:sqlite",
    open: (file, { readOnly = false, oddRows = false } = {}) =>
      new DatabaseSync(file, { readOnly, readBigInts: oddRows, returnArrays: oddRows }),
  },
];

export function driverOf(name: string | undefined): Driver {
  const driver = DRIVERS.find((one) => one.name === name);
  if (driver === undefined) throw new TypeError(`Expected a driver's name, got ${String(name)}.`);
  return driver;
}

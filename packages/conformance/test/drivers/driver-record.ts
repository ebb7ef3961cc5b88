import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where each driver has its record, in a file of its own. */
export const RESULTS: string = join(import.meta.dirname, "../../results");

/** On what the kit ran last on one driver. A case that fails there fails as a test, so a record has only passed ones. */
export interface DriverRecord {
  /** The package of the store, without its scope. */
  readonly store: string;
  readonly driver: string;
  /** By the names of their packages. */
  readonly versions: Readonly<Record<string, string>>;
  /** The cases that were left out, by the door that the driver's tests do not give. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** The record as its file has it. */
export function encodeRecord(record: DriverRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** All records, by their stores and drivers. */
export function readRecords(): readonly DriverRecord[] {
  const nameOf = ({ store, driver }: DriverRecord): string => `${store} ${driver}`;
  return readdirSync(RESULTS)
    .map((file) => JSON.parse(readFileSync(join(RESULTS, file), "utf8")) as DriverRecord)
    .toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)));
}

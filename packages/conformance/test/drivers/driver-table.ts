import { encodeRows } from "../docs-page.ts";
import type { DriverRecord } from "./driver-record.ts";

const HEAD = ["store", "driver", "versions", "cases left out"];

/** The table of the page, one row a driver. */
export function encodeDrivers(records: readonly DriverRecord[]): string {
  const rows = records.map(({ store, driver, versions, leftOut }) => [
    store,
    driver,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    Object.entries(leftOut)
      .map(([door, count]) => `${count} of \`${door}\``)
      .join(", "),
  ]);
  return `\n${encodeRows([HEAD, ...rows])}\n\n`;
}

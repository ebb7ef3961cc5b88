import { join } from "node:path";

/** Where each host has its record, in a file of its own. */
export const RESULTS: string = join(import.meta.dirname, "../../results");

/** The results of the last recorded run of the probe on one host. */
export interface HostRecord {
  readonly name: string;
  /** The versions of the server and its runtime, by the names of their packages. */
  readonly versions: Readonly<Record<string, string>>;
  /** By check: `yes` or `no`, perhaps with a colon and what the table says of it. */
  readonly results: Readonly<Record<string, string>>;
}

/** The record as its file has it. */
export function encodeRecord(record: HostRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where each host has its record, in a file of its own. */
export const RESULTS: string = join(import.meta.dirname, "../../results");

/** What the last recorded run of the probe found on one host. */
export interface HostRecord {
  readonly name: string;
  /** Of the server and its runtime, by the names of their packages. */
  readonly versions: Readonly<Record<string, string>>;
  /** By check: `yes` or `no`, perhaps with a colon and what the table says of it. */
  readonly results: Readonly<Record<string, string>>;
}

/** The versions that the workspace pins. @throws TypeError for a package that it does not pin */
export function pinsOf(packages: readonly string[]): Readonly<Record<string, string>> {
  const pins = readFileSync(join(import.meta.dirname, "../../../../pnpm-workspace.yaml"), "utf8");
  return Object.fromEntries(
    packages.map((name) => {
      const [, version] = new RegExp(`^  "?${name}"?: (\\S+)$`, "m").exec(pins) ?? [];
      if (version === undefined) throw new TypeError(`Expected ${name} in the catalog.`);
      return [name, version];
    }),
  );
}

/** The record as its file has it. */
export function encodeRecord(record: HostRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

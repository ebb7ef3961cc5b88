import { closeSync, openSync, writeFileSync } from "node:fs";
import { Misuse } from "./misuse.ts";
import type { Report } from "./report.ts";

/** Leaves what is in the file, and makes it if it is not there. @throws Misuse if it cannot be written */
export function requireWritable(file: string): void {
  orMisuse(file, () => closeSync(openSync(file, "a")));
}

/** Writes the report as JSON. @throws Misuse if that fails */
export function writeReport(file: string, report: Report): void {
  orMisuse(file, () => writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`));
}

function orMisuse(file: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Misuse(`${file} cannot be written: ${why}`, { cause });
  }
}

import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "./has-code.ts";

/**
 * Creates a folder, and those above it, for their owner only. Existing ones keep their modes. Node's own `recursive` reports `ENOENT` on
 * a read-only file system, and never returns for a folder under `/proc`.
 * @throws the system's error
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process has made it.
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "./has-code.ts";
import { readSecretText } from "./secret-text.ts";

/**
 * Reads the secret of a file. If the file does not exist, it is created: 32 random bytes in base64url, mode 600. It appears
 * whole, so servers that start together agree on one.
 * @throws Error if the folder or the file cannot be created or read, or the file is empty or not UTF-8
 */
export function readSecretFile(path: string): string {
  const kept = readIfThere(path);
  if (kept !== null) return kept;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
    linkSync(draft, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return read(path);
}

function readIfThere(path: string): string | null {
  try {
    return read(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

function read(path: string): string {
  const secret = readSecretText(path);
  if ("text" in secret) return secret.text;
  throw new Error(`${secret.flaw}: remove it to have a secret generated`);
}

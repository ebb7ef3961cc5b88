import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "./has-code.ts";

/**
 * Reads the secret of a file. If the file does not exist, it is created: 32 random bytes in base64url, mode 600. It appears
 * whole, so servers that start together agree on one.
 * @throws Error if the folder or the file cannot be created or read, or the file is empty
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
  return readFileSync(path, "utf8").trim();
}

function readIfThere(path: string): string | null {
  try {
    const secret = readFileSync(path, "utf8").trim();
    if (secret === "") throw new Error(`${path} is empty: remove it to have a secret generated`);
    return secret;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

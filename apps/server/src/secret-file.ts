import { randomBytes } from "node:crypto";
import { linkSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "./has-code.ts";
import { makeFolder } from "./make-folder.ts";
import { readKeptText } from "./secret-text.ts";

/** A secret that is safe to send in a header, and to show on a terminal. */
const KEPT = /^[\x21-\x7e]{32,}$/;

/**
 * Reads the secret of a file. If the file does not exist, it is created: 32 random bytes in base64url, mode 600. It appears
 * whole, so servers that start together agree on one.
 * @throws the system's error if the folder or the file cannot be created or read; Error if the file is a symbolic link or no regular file,
 * every user can write it, or its text is not 32 or more visible ASCII characters
 */
export function readSecretFile(path: string): string {
  const kept = readIfThere(path);
  if (kept !== null) return kept;
  makeFolder(dirname(path));
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
  const secret = readKeptText(path);
  if ("flaw" in secret) throw new Error(`${secret.flaw}: remove it to have a secret generated`);
  if (KEPT.test(secret.text)) return secret.text;
  throw new Error(
    `${path}: expected 32 or more visible ASCII characters, without spaces, got other text; remove it to have a secret generated`,
  );
}

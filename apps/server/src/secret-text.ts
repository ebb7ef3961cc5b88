import { isUtf8 } from "node:buffer";
import { lstatSync, readFileSync, statSync } from "node:fs";

/** The text of a secret's file, or what is wrong with the file. `flaw` has the file's path, and never its text. */
export type SecretText = { readonly text: string } | { readonly flaw: string };

/**
 * Reads the text of a secret's file, without the white space around it. A file that is not UTF-8 is refused: decoding would turn all bytes
 * that are not into one character, and random bytes would make a weak secret.
 * @throws the system's error if the file cannot be read
 */
export function readSecretText(path: string): SecretText {
  // Reading a pipe would wait for its writer.
  if (!statSync(path).isFile()) return { flaw: `${path} is not a regular file` };
  const bytes = readFileSync(path);
  if (!isUtf8(bytes)) return { flaw: `${path} is not UTF-8 text` };
  const text = bytes.toString().trim();
  return text === "" ? { flaw: `${path} is empty` } : { text };
}

/**
 * Reads the text of a secret's file that this server keeps, as `readSecretText` does.
 * @returns `flaw` also if it is a symbolic link, or if every user can write it
 * @throws the system's error if the file cannot be read
 */
export function readKeptText(path: string): SecretText {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return { flaw: `${path} is a symbolic link` };
  // A group may write it: Kubernetes lets a volume's group write every file of it.
  if ((stat.mode & 0o002) !== 0 && process.platform !== "win32")
    return { flaw: `${path} can be written by every user` };
  return readSecretText(path);
}

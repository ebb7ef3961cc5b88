import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { hasCode } from "./has-code.ts";

/** The most bytes that a secret's file may have. */
const MOST_BYTES = 1_048_576;

/** The text of a secret's file, or what is wrong with the file. `flaw` has the file's path, and never its text. */
export type SecretText = { readonly text: string } | { readonly flaw: string };

/**
 * Reads the text of a secret's file, without the white space around it.
 * @returns the text, or `flaw`, which never holds it. It is refused if it is not a regular file, has more than 1 MiB, is not UTF-8, or is
 * empty. Decoding would turn all bytes that are not
 * UTF-8 into one character, and random bytes would make a weak secret
 * @throws the system's error if the file cannot be read
 */
export function readSecretText(path: string): SecretText {
  return readOpened(path, 0, () => null);
}

/**
 * Reads the text of a secret's file that this server keeps, as `readSecretText` does.
 * @returns `flaw` also if it is a symbolic link, or if every user can write it
 * @throws the system's error if the file cannot be read
 */
export function readKeptText(path: string): SecretText {
  try {
    // A group may write it: Kubernetes lets a volume's group write every file of it.
    return readOpened(path, constants.O_NOFOLLOW, (mode) =>
      (mode & 0o002) !== 0 && process.platform !== "win32" ? "can be written by every user" : null,
    );
  } catch (error) {
    if (hasCode(error, "ELOOP")) return { flaw: `${path} is a symbolic link` };
    throw error;
  }
}

function readOpened(
  path: string,
  flags: number,
  flawOf: (mode: number) => string | null,
): SecretText {
  // Without O_NONBLOCK, a pipe would wait here for its writer.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return { flaw: `${path} is not a regular file` };
    const modeFlaw = flawOf(stat.mode);
    if (modeFlaw !== null) return { flaw: `${path} ${modeFlaw}` };
    const bytes = readStart(file, MOST_BYTES + 1);
    if (bytes.length > MOST_BYTES) return { flaw: `${path} has more than 1 MiB` };
    if (!isUtf8(bytes)) return { flaw: `${path} is not UTF-8 text` };
    const text = bytes.toString().trim();
    return text === "" ? { flaw: `${path} is empty` } : { text };
  } finally {
    closeSync(file);
  }
}

/** Reads at most this many bytes. The file's size says nothing: it is 0 for files of `/proc`. */
function readStart(file: number, most: number): Buffer {
  const bytes = Buffer.alloc(most);
  let length = 0;
  while (length < most) {
    const count = readSync(file, bytes, length, most - length, null);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";

/**
 * Reads the text of a secret's file, without the white space around it.
 * @returns the text, or `flaw`, which never holds it. As text, all bytes that are not UTF-8 become one character. So random bytes would
 * make a weak secret
 * @throws the system's error if the file cannot be read
 */
export function readSecretText(
  path: string,
): { readonly text: string } | { readonly flaw: string } {
  const bytes = readFileSync(path);
  if (!isUtf8(bytes)) return { flaw: `${path} is not UTF-8 text` };
  const text = bytes.toString().trim();
  return text === "" ? { flaw: `${path} is empty` } : { text };
}

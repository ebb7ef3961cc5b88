import { digestOfText } from "./list-version.ts";

/**
 * A short name of an owner, of digits and small letters, for where an owner id does not fit, since it may be long, and any text. Some
 * owners may have the same one.
 */
export function ownerName(ownerId: string): string {
  return digestOfText(ownerId).toString(36);
}

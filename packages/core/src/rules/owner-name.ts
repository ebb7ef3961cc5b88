import { digestOfText } from "./live-groups.ts";

/** No run id begins with it. */
const SIGN = "@";

/**
 * The name under which a store notifies of an owner's runs, where else it takes the id of a run. It does not show the owner. Some owners
 * may have the same one: then their readers are notified for nothing.
 * @see clause S13 in `STORE.md`
 */
export function ownerName(ownerId: string): string {
  return `${SIGN}${digestOfText(ownerId).toString(36)}`;
}

/** Whether a subscription is to an owner's runs, and not to one run. */
export function isOwnerName(name: string): boolean {
  return name.startsWith(SIGN);
}

/** No run id begins with it. */
const SIGN = "@";

/** The name of an owner among names that are otherwise ids of runs. An owner id may be any text. */
export function ownerName(ownerId: string): string {
  return `${SIGN}${ownerId}`;
}

/** Whether the name is that of an owner, and not the id of a run. */
export function isOwnerName(name: string): boolean {
  return name.startsWith(SIGN);
}

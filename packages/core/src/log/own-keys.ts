/**
 * Makes keys for appends without one, so that each can be sent again. The keys are unique, and neighbours in the order of an index.
 * @see clause S7 in `STORE.md`
 */
export function createOwnKeys(): () => string {
  const prefix = shortUuid();
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36).padStart(8, "0")}`;
  };
}

/** A new UUID in 25 characters: a store keeps one with every append. */
function shortUuid(): string {
  const hex = crypto.randomUUID().replaceAll("-", "");
  return BigInt(`0x${hex}`).toString(36).padStart(25, "0");
}

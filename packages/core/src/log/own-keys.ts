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

/** How many characters the random part of a commit's id has: two processes that commit to one run have to differ. */
const RANDOM_CHARACTERS = 10;

/** Makes ids for commits. Each run keeps a few of them, so they are short. */
export function createCommitIds(): () => string {
  const prefix = shortUuid().slice(-RANDOM_CHARACTERS);
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}${count.toString(36)}`;
  };
}

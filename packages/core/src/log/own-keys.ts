/** The number of random characters that an id begins with: the ids of two processes that write to one run have to differ. */
const RANDOM_CHARACTERS = 10;

/**
 * Makes ids for commits, and keys for appends without one, so that each can be sent again. They are unique, short, since a store keeps
 * them, and mostly neighbours in the order of an index.
 * @see clause S7 in `STORE.md`
 */
export function createCommitIds(): () => string {
  const hex = crypto.randomUUID().replaceAll("-", "");
  const prefix = BigInt(`0x${hex}`).toString(36).slice(-RANDOM_CHARACTERS);
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}${count.toString(36)}`;
  };
}

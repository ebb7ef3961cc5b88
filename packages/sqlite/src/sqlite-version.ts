/** The first fixed patch of each branch that had fixes; every branch from 3.52 on is fixed. */
const FIRST_FIXED_PATCH: Readonly<Record<number, number>> = { 44: 6, 50: 7, 51: 3 };
const FIRST_FIXED_BRANCH = 52;

/**
 * Whether this SQLite resets a WAL safely. Others can, rarely, lose commits or damage the file when one connection writes
 * while another one checkpoints.
 * @param version as from `sqlite_version()`
 * @see https://www.sqlite.org/wal.html#walresetbug
 */
export function isWalSafe(version: string): boolean {
  const [major = 0, branch = 0, patch = 0] = version.split(".").map(Number);
  if (major !== 3) return major > 3;
  return branch >= FIRST_FIXED_BRANCH || patch >= (FIRST_FIXED_PATCH[branch] ?? Infinity);
}

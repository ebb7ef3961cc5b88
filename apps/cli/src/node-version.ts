/** The oldest Node that has all that this program uses, as `engines` in its package.json says. */
const OLDEST = [22, 12] as const;

/** Why this version of Node does not do, in one line; `null` if it does. */
export function nodeRefusal(version: string): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return null;
  return `it needs Node ${oldestMajor}.${oldestMinor} or later, and this is Node ${version}: install a newer one`;
}

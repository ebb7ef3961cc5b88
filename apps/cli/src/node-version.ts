/** The oldest supported version of Node, as in `engines` of package.json. */
const OLDEST = [22, 12] as const;

/** Describes in one line why this version of Node is not supported; `null` if it is. */
export function nodeRefusal(version: string): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return null;
  return `it needs Node ${oldestMajor}.${oldestMinor} or later, and this is Node ${version}: install a newer one`;
}

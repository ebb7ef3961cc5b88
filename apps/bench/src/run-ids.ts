/** The owner of all runs. */
export const OWNER = "owner";

/** The id of one of many runs. */
export function runIdOf(index: number): string {
  return `run-${index}`;
}

/** The ids of this many runs. */
export function runIdsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => runIdOf(index));
}

/** Whose all runs are. */
export const OWNER = "owner";

/** The id of one of many runs. */
export function runIdOf(index: number): string {
  return `run-${index}`;
}

/** A place in the log of a run: an event, after which a reader goes on. */
export interface RunPlace {
  readonly runId: string;
  readonly sequence: number;
}

/** The place as text that a header can hold. */
export function encodePlace(runId: string, sequence: number): string {
  return `${encodeURIComponent(runId)}:${sequence}`;
}

/** The place of a text; `null` unless `encodePlace` has made it. */
export function decodePlace(text: string): RunPlace | null {
  const [, name, digits] = /^([^:]+):([1-9]\d{0,15})$/.exec(text) ?? [];
  if (name === undefined) return null;
  try {
    return { runId: decodeURIComponent(name), sequence: Number(digits) };
  } catch {
    return null;
  }
}

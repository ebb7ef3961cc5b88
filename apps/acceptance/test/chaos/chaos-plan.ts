/** How many runs there are to do. */
export const RUNS = 200;
/** How many events each is. */
export const STEPS = 8;
/** The shortest that there is. @see clause W31 in `WIRE.md` */
export const LEASE_MS = 1_000;
export const GRACE_MS = 400;
export const REAP_MS = 200;

export function runIdOf(index: number): string {
  return `run-${index}`;
}

/** A run under a fence. */
export interface Fenced {
  readonly runId: string;
  readonly fence: number;
}

/** What a worker reports. */
export type WorkerReport =
  | { readonly ready: true }
  | { readonly claimed: Fenced & { readonly lastSequence: number } }
  | { readonly wrote: Fenced & { readonly sequence: number } }
  | { readonly refused: Fenced & { readonly code: string } }
  | { readonly done: true };

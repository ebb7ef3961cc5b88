/** The number of runs to do. */
export const RUNS = 200;
/** The number of events in each run. */
export const STEPS = 8;
/** The shortest lease. @see clause W31 in `WIRE.md` */
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

/** A report of a worker. */
export type WorkerReport =
  | { readonly ready: true }
  | { readonly claimed: Fenced & { readonly lastSequence: number } }
  | { readonly wrote: Fenced & { readonly sequence: number } }
  | { readonly refused: Fenced & { readonly code: string } }
  | { readonly done: true };

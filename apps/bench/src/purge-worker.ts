/** How many callers append meanwhile, on a run each. */
export const PURGE_CALLERS = 16;
/** How many events each old run has. */
export const PURGE_EVENTS = 10;

/** A process that appends to a log, or one that purges it. */
export interface PurgeWorker {
  /** Makes so many finished runs. */
  fill(count: number): Promise<void>;
  /** Appends single events for so long, in milliseconds. @returns how long each took, in milliseconds */
  append(millis: number): Promise<readonly number[]>;
  /** Removes so many runs, a batch at a time, for a share of the time. */
  purge(order: {
    readonly count: number;
    readonly limit: number;
    readonly share: number;
  }): Promise<{ readonly gone: number; readonly tookMs: number }>;
}

import type { RunSnapshot, StoredEvent } from "./event.ts";
import type { RunRecord } from "./run.ts";

/** An owner's list: the live runs and the newest 50, newest first. */
export interface RunList {
  /** The newest 1,000 of the live runs, with 4 MiB of metadata at most; the newest 50 of any status; and some that have ended lately. */
  readonly runs: readonly RunSnapshot[];
  /** Whether there are older live runs. */
  readonly more: boolean;
}

/** A list as it was read, newest first; or that it still has the version that the caller has. */
export type ListedRuns =
  | { readonly isSame: true; readonly version: string }
  | {
      readonly isSame: false;
      readonly runs: readonly RunRecord[];
      /** The last event of each run that has one, by the run's id. Empty unless it was asked for. */
      readonly last: ReadonlyMap<string, StoredEvent>;
      readonly version: string;
      readonly more: boolean;
    };

import type { LivePosition, RunRecord } from "./run.ts";

/** Which of an owner's runs a reader asks for. */
export interface ChangedScope {
  readonly ownerId: string;
  /** Only runs of this topic; `null` for all. */
  readonly topic: string | null;
}

/** A request for an owner's runs that changed since a cursor. */
export interface ChangedQuery {
  readonly ownerId: string;
  /** Only runs of this topic; `null`, or missing, for all. */
  readonly topic?: string | null;
  /** The `cursor` of an earlier answer for the same owner and topic; `null` to begin with the live runs. */
  readonly since: string | null;
  /** The most runs to answer, with those that are gone: 1 or more. An answer also ends after 1 MiB of metadata and up to 16 runs more. */
  readonly limit: number;
}

/**
 * An owner's runs that changed since a cursor. They are states, not events: each run as it is now, and one may come again without a
 * change.
 */
export interface ChangedRuns {
  /**
   * Whether the answer starts over: because there is no cursor, because the cursor is too old or of another store, or because the store has
   * lost something that you had. Then forget the runs that you had. The live runs are in this answer and in those after it, up to the first
   * without `hasMore`.
   */
  readonly isReset: boolean;
  /** Each once: runs that were created, got events or ended. A run that has finished comes once more, and then no more. */
  readonly runs: readonly RunRecord[];
  /** The ids of runs that were removed. None of them is in `runs`. */
  readonly gone: readonly string[];
  /**
   * The live runs that the reader has with this answer and those before it, in any order, as they were when this answer was made. If a run is
   * in `runs` or `gone` as well, its state there may be a later one. So a reader that begins with a cursor knows which runs to follow. While
   * `hasMore` is true, some live runs are missing.
   */
  readonly live: readonly LivePosition[];
  /** Where the next request goes on. */
  readonly cursor: string;
  /** Whether more runs have changed already. */
  readonly hasMore: boolean;
}

/** A run that has departed from the live ones, by its end, or from all, by its removal. */
export interface Departure extends ChangedScope {
  readonly runId: string;
}

/** A request for an owner's departures after a mark. */
export interface DeparturesQuery extends ChangedScope {
  /** The mark of an earlier answer; `null` for none, so that only the newest mark is asked for. */
  readonly since: string | null;
  /** The most departures: 1 or more. */
  readonly limit: number;
}

/**
 * An owner's departures after a mark. A mark is the store's own text of `A` to `Z`, `a` to `z`, digits and `:,_~-`, 2,000 characters
 * at most.
 */
export interface DeparturesPage {
  /** Whether `since` is a mark of this store, the store still has its departure, and has forgotten no departure after it. */
  readonly isKnown: boolean;
  /** In the order in which they were committed, each with the mark after which the next ones follow. A run may be there twice. */
  readonly departures: readonly { readonly runId: string; readonly mark: string }[];
  /** Whether more departures follow after the last of them. */
  readonly hasMore: boolean;
  /** The mark after all departures that had been committed when the answer was made. */
  readonly mark: string;
  /** The store's clock. */
  readonly nowMs: number;
}

/** How long a cursor is good for, in milliseconds. */
export const CURSOR_MS = 3_600_000;

/** How long a store keeps a departure at least, in milliseconds: longer than any cursor, even if the clock is set. */
export const DEPARTURES_MS: number = 2 * CURSOR_MS;

/** The most forgotten departures that a store removes for each one that it keeps. */
export const FORGOTTEN_EACH = 2;

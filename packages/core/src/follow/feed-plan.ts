import type { RunRecord } from "../rules/run.ts";

/** What the reader of a feed does not have yet. */
export interface FeedNews {
  /** As in `ChangedRuns`. */
  readonly isReset: boolean;
  /** Each run as it is now. */
  readonly runs: readonly RunRecord[];
  /** The ids of runs that were removed. */
  readonly gone: readonly string[];
}

/** News that the reader gets as a whole. */
export interface KeptNews extends FeedNews {
  /** Whether more news follows at once. */
  readonly hasMore: boolean;
}

/** What a feed has to do next. */
export interface FeedPlan {
  /** Whether to ask for the runs that changed since the cursor. */
  readonly lists: boolean;
  /** Which part of the newest runs to list; `null` for none. */
  readonly newest: { readonly before: number | null; readonly limit: number } | null;
  /** The runs to read. */
  readonly runIds: readonly string[];
  /** When there will be more to do without a notification; `null` if there is nothing more to do until a notification comes. */
  readonly dueAtMs: number | null;
}

/** The live runs that a feed has to subscribe to, and those whose subscriptions it has to end. */
export interface FeedWatches {
  readonly begun: readonly string[];
  readonly ended: readonly string[];
}

/** A state that was sent. */
export interface Sent extends Pick<RunRecord, "ordinal" | "lastSequence" | "updatedAtMs"> {
  readonly atMs: number;
}

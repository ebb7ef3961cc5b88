import type { RunStatus } from "./event.ts";
import { isTerminal } from "./lifecycle.ts";
import type { RunRecord } from "./run.ts";

/** A run is found by its owner and its id: two owners may have the same id. */
export interface RunName {
  readonly ownerId: string;
  readonly runId: string;
}

/**
 * A run as a store keeps it: one row or key a run. What a store's statements compare, move or find by an index has a field of its own, and
 * all the rest is in `extra`, so that a new attribute of runs changes no store.
 */
export interface Head extends RunName {
  /** Orders an owner's runs by creation: positive, a safe integer, never used twice, not even after a removal. Gaps are fine. */
  readonly ordinal: number;
  /** Moves with each write to the head, plain appends and renewals too. A commit checks it, so that nothing lands over what it has not seen. */
  readonly revision: number;
  readonly runStatus: RunStatus;
  /** The current phase as the JSON text of a string (so any text column can hold any phase), or `null`. */
  readonly phase: string | null;
  /** 0 before the first event. */
  readonly lastSequence: number;
  /** The time of the last event, or of the run's creation before the first. Milliseconds since 1970. */
  readonly updatedAtMs: number;
  /** The highest fence taken so far; 0 before the first claim. */
  readonly fence: number;
  /** When the lease of `fence` expires, by the store's clock; `null` while the run has no lease. */
  readonly leaseExpiresAtMs: number | null;
  /** The run's topic, or `null`. It never changes. */
  readonly topic: string | null;
  /** Whether the run, while it lives, is to be its owner's only one of its topic that was created like this. It never changes. */
  readonly exclusive: boolean;
  /** The time by which the index of due runs finds it: never later than its true time, which `dueAt` knows. */
  readonly dueMs: number;
  /** JSON text that only core reads: up to a few hundred bytes. */
  readonly extra: string;
  /** JSON text, opaque, up to 256 KiB. It never changes. Only where it was asked for, and at the creation. */
  readonly metadata?: string;
}

/** The fields in `extra`. */
interface Extra {
  readonly createdAtMs: number;
  /** The name that the worker gave at its claim. */
  readonly worker: string | null;
  /** As from `encodeKeptClaim`. */
  readonly keptClaim: string | null;
  /** Whether the run outlives its workers: an expired lease is released, and never ends it. */
  readonly resumable: boolean;
  /** The ids of the last commits that were decided, the newest last, so that a commit whose answer was lost is known again. */
  readonly commits: readonly string[];
}

/** A run as the rules see it: the head, with its `extra` as values. */
export interface Run extends RunRecord, Omit<Extra, "createdAtMs" | "worker"> {
  readonly revision: number;
  readonly exclusive: boolean;
  readonly dueMs: number;
}

/** The number of commits that a run remembers: those of other processes that may come between a commit and its repetition. */
const KEPT_COMMITS = 4;

/** The run of a head. */
export function runOf(head: Head): Run {
  const { extra, metadata = "", ...columns } = head;
  return {
    ...columns,
    metadata,
    finishedAtMs: isTerminal(head.runStatus) ? head.updatedAtMs : null,
    ...parseExtra(extra),
  };
}

/** The head of a run as it is to be stored. */
export function headOf(run: Run): Head {
  const { createdAtMs, finishedAtMs: _, worker, keptClaim, resumable, commits, ...columns } = run;
  return {
    ...columns,
    extra: encodeExtra({ createdAtMs, worker, keptClaim, resumable, commits }),
  };
}

/** The commits that a run remembers after one more. */
export function commitsAfter(commits: readonly string[], id: string): readonly string[] {
  return [...commits.slice(1 - KEPT_COMMITS), id];
}

/** Encodes `extra`. A field with its default is left out. */
function encodeExtra({ createdAtMs, worker, keptClaim, resumable, commits }: Extra): string {
  return JSON.stringify({
    createdAtMs,
    ...(worker === null ? {} : { worker }),
    ...(keptClaim === null ? {} : { keptClaim }),
    ...(resumable ? { resumable } : {}),
    ...(commits.length === 0 ? {} : { commits }),
  });
}

function parseExtra(extra: string): Extra {
  const defaults = { worker: null, keptClaim: null, resumable: false, commits: [] };
  return { ...defaults, ...(JSON.parse(extra) as Pick<Extra, "createdAtMs">) };
}

/** One text for a run's name, or for an owner, for keys of maps. A run id has no space. */
export function nameKey(name: RunName | Pick<RunName, "ownerId">): string {
  return `${"runId" in name ? name.runId : ""} ${name.ownerId}`;
}

/** The record of a run for callers: a new object, without what only the rules need. */
export function recordOf(run: RunRecord): RunRecord {
  return {
    runId: run.runId,
    ownerId: run.ownerId,
    runStatus: run.runStatus,
    phase: run.phase,
    lastSequence: run.lastSequence,
    ordinal: run.ordinal,
    createdAtMs: run.createdAtMs,
    updatedAtMs: run.updatedAtMs,
    finishedAtMs: run.finishedAtMs,
    metadata: run.metadata,
    topic: run.topic,
    fence: run.fence,
    leaseExpiresAtMs: run.leaseExpiresAtMs,
    worker: run.worker,
  };
}

import { isTerminal } from "./lifecycle.ts";
import type { Head, RunName, RunRecord } from "./run.ts";

export type { Head, RunName };

/** The fields in `extra`. */
interface Extra {
  readonly createdAtMs: number;
  /** The name that the worker gave at its claim. */
  readonly worker: string | null;
  /** The key of the last claim that was granted: that of the lease, while there is one. */
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
  const finishedAtMs = isTerminal(head.runStatus) ? head.updatedAtMs : null;
  return { ...columns, ...parseExtra(extra), metadata, finishedAtMs };
}

/** The head of a run as it is to be stored. */
export function headOf(run: Run): Head {
  return {
    ownerId: run.ownerId,
    runId: run.runId,
    ordinal: run.ordinal,
    revision: run.revision,
    runStatus: run.runStatus,
    phase: run.phase,
    lastSequence: run.lastSequence,
    updatedAtMs: run.updatedAtMs,
    fence: run.fence,
    leaseExpiresAtMs: run.leaseExpiresAtMs,
    topic: run.topic,
    exclusive: run.exclusive,
    dueMs: run.dueMs,
    extra: encodeExtra(run),
    metadata: run.metadata,
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

/** A run's name, or an owner, as one text: a key of maps. A run id has no space. */
export function nameKey({
  runId = "",
  ownerId,
}: Pick<RunName, "ownerId"> & Partial<RunName>): string {
  return `${runId} ${ownerId}`;
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

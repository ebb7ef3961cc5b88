import type { RunSnapshot } from "@tm/run-events-core";

/** A run, and until when its server keeps it. */
export interface KeptRun extends RunSnapshot {
  /** The earliest time at which the server removes the run, ISO 8601; `null` while the run is live, or if the server keeps runs for ever. */
  readonly keptUntil: string | null;
}

/** One page of the caller's runs, newest first. @see clause W14 in `WIRE.md` of `@tm/run-events-http` */
export interface RunList {
  readonly runs: readonly KeptRun[];
  /** The `cursor` of the next page; `null` at the end. */
  readonly nextCursor: string | null;
  /** The time that the server keeps a finished run, in milliseconds; `null` if the server does not announce that it removes runs. */
  readonly retentionMs: number | null;
}

/** Reads a run from an answer. */
export function readKept(json: unknown, { headers }: Response): KeptRun {
  return keep(json as RunSnapshot, parseRetention(headers));
}

/** Reads a list of runs from an answer. */
export function readList(json: unknown, { headers }: Response): RunList {
  const { runs, nextCursor } = json as Omit<RunList, "retentionMs">;
  const retentionMs = parseRetention(headers);
  return { runs: runs.map((run) => keep(run, retentionMs)), nextCursor, retentionMs };
}

/** The time that a server keeps finished runs, in milliseconds; `null` for ever. More than 99,999,999,999 s count as for ever. */
function parseRetention(headers: Headers): number | null {
  const text = headers.get("run-retention");
  return text !== null && /^\d{1,11}$/.test(text) ? Number(text) * 1_000 : null;
}

function keep(run: RunSnapshot, retentionMs: number | null): KeptRun {
  const { finishedAt } = run;
  if (finishedAt === null || retentionMs === null) return { ...run, keptUntil: null };
  return { ...run, keptUntil: new Date(Date.parse(finishedAt) + retentionMs).toISOString() };
}

import type { RunSnapshot } from "@tm/run-events-core";
import { keptUntil, parseRetention } from "./retention.ts";

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
export function readKept(json: unknown, response: Response): KeptRun {
  const run = json as RunSnapshot;
  return { ...run, keptUntil: keptUntil(run, parseRetention(response.headers)) };
}

/** Reads a list of runs from an answer. */
export function readList(json: unknown, response: Response): RunList {
  const { runs, nextCursor } = json as Omit<RunList, "retentionMs">;
  const retentionMs = parseRetention(response.headers);
  return {
    runs: runs.map((run) => ({ ...run, keptUntil: keptUntil(run, retentionMs) })),
    nextCursor,
    retentionMs,
  };
}

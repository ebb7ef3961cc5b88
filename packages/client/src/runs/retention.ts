import type { RunSnapshot } from "@tm/run-events-core";

/** The time that a server keeps finished runs, in milliseconds; `null` for ever. More than 99,999,999,999 s count as for ever. */
export function parseRetention(headers: Headers): number | null {
  const text = headers.get("run-retention");
  return text !== null && /^\d{1,11}$/.test(text) ? Number(text) * 1_000 : null;
}

/** The earliest time at which a run is removed, ISO 8601; `null` while it is live, or if it is kept for ever. */
export function keptUntil(
  { finishedAt }: Pick<RunSnapshot, "finishedAt">,
  retentionMs: number | null,
): string | null {
  if (finishedAt === null || retentionMs === null) return null;
  return new Date(Date.parse(finishedAt) + retentionMs).toISOString();
}

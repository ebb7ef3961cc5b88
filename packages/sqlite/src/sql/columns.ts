/** A run's columns, named as in core's heads. */
export const RUN_COLUMNS: string = runColumns("metadata");

/** The same columns. @param metadata the SQL of the metadata, which may be long */
export function runColumns(metadata: string): string {
  return `run_id AS runId, owner_id AS ownerId, run_status AS runStatus, phase,
  last_sequence AS lastSequence, run_key AS ordinal, created_at_ms AS createdAtMs,
  updated_at_ms AS updatedAtMs, finished_at_ms AS finishedAtMs, ${metadata} AS metadata, topic, idle_from_ms AS idleFromMs,
  fence, lease_expires_at_ms AS leaseExpiresAtMs, claim_key AS keptClaim,
  CASE WHEN lease_expires_at_ms IS NOT NULL AND worker_fence = fence THEN worker END AS worker`;
}

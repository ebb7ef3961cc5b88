import type { Head } from "@tm/run-events-core/store";

/** A head's columns but its metadata, named as in core's heads. `exclusive` is a number. */
export const HEAD_COLUMNS = `owner_id AS ownerId, run_id AS runId, run_key AS ordinal, revision,
  run_status AS runStatus, phase, last_sequence AS lastSequence, updated_at_ms AS updatedAtMs, fence,
  lease_expires_at_ms AS leaseExpiresAtMs, topic, exclusive, due_ms AS dueMs, extra`;

/** A row of {@link HEAD_COLUMNS}. */
export type HeadRow = Omit<Head, "exclusive"> & { readonly exclusive: number };

/** The head of a row. */
export function headOfRow(row: HeadRow): Head {
  return { ...row, exclusive: row.exclusive === 1 };
}

import type { AppendOperation, LogOperation } from "./operation.ts";
import type { PlacedLog } from "./placed-batches.ts";

/** The batch whose end a call saw as the head at some instant, 0 for an empty log; `null` if it saw none. */
export function seenPlace({ placeAt }: PlacedLog, operation: LogOperation): number | null {
  if (operation.kind === "read") return placeAt[operation.lastSequence] ?? null;
  const { result } = operation;
  return result.outcome === "sequence_conflict" || result.outcome === "finished"
    ? (placeAt[result.lastSequence] ?? null)
    : null;
}

/** The batch that an append met under its key, which had landed by then; `null` if it met none. */
export function metPlace({ batches, byKey }: PlacedLog, append: AppendOperation): number | null {
  const { result, ids, idempotencyKey } = append;
  if (result.outcome === "replayed") return batches.get(ids[0])?.place ?? null;
  return result.outcome === "idempotency_key_reused"
    ? (byKey.get(idempotencyKey ?? "")?.place ?? null)
    : null;
}

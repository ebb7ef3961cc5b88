import {
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  judgeDelete,
  type RunRecord,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { announce, departFromAll } from "./departures.ts";
import { dropDue } from "./due.ts";
import { addListEntry, dropListEntry } from "./list-entries.ts";
import { sendCreateRun } from "./scripts/create-run.ts";
import { sendDeleteRun } from "./scripts/delete-run.ts";
import { notifyOwner } from "./scripts/notify-owner.ts";
import { nextOrdinal } from "./scripts/next-ordinal.ts";
import { readHead } from "./scripts/read-head.ts";

/**
 * Creates a run: first its ordinal, then the entry in its owner's list, then the run. Another process may create it between these
 * steps. The last step sees that, and the ordinal shows which process did.
 * @see clause S16 in `STORE.md`
 */
export async function createRun(
  connection: Connection,
  request: CreateRunRequest,
): Promise<CreateOutcome> {
  const { runId, ownerId, metadata, topic = null } = request;
  const asked = nextOrdinal(connection);
  // A full Redis refuses a new ordinal, but answers for an existing run.
  asked.catch(() => {});
  const existing = await readHead(connection, runId);
  if (existing !== null) return existingOutcome(existing, ownerId);
  const ordinal = await asked;
  const { runStatus } = INITIAL_STATE;
  const entry = { ownerId, runStatus, topic, runId, ordinal, visit: 0 };
  await addListEntry(connection, entry);
  const run = await sendCreateRun(connection, { ...entry, metadata });
  // Even if the client sent the script twice, the ordinal is this call's.
  if (run.ordinal === ordinal) {
    notifyOwner(connection, ownerId);
    return { outcome: "created", run };
  }
  dropListEntry(connection, entry);
  return existingOutcome(run, ownerId);
}

function existingOutcome(run: RunRecord, ownerId: string): CreateOutcome {
  return run.ownerId === ownerId ? { outcome: "existing", run } : { outcome: "taken" };
}

/** Which run to remove. */
export interface DeleteRequest {
  readonly runId: string;
  /** Answers `not_found` unless the run is this owner's; `null` for any owner. */
  readonly ownerId: string | null;
  /** Answers `not_found` if another run has the id by now; `null` for any run. */
  readonly ordinal: string | null;
}

/**
 * Removes a finished run whole, then its entries in its owner's list and the index of finished runs. Its departure is announced
 * before. A run that has finished stays so: if it is not there when it is to be removed, another process has just removed it.
 * @see clauses S17, S24 and S29 in `STORE.md`
 */
export async function deleteRun(
  connection: Connection,
  { runId, ownerId, ordinal }: DeleteRequest,
): Promise<DeleteOutcome> {
  const head = await readHead(connection, runId);
  const isAsked = ordinal === null || head?.ordinal === Number(ordinal);
  const refusal = isAsked ? judgeDelete(head, ownerId) : "not_found";
  if (head === null || refusal !== null) return refusal ?? "not_found";
  await announce(connection, head);
  const wasThere = await sendDeleteRun(connection, runId, head.ordinal);
  departFromAll(connection, head);
  if (!wasThere) return "not_found";
  dropDue(connection, connection.keys.ended, { mark: String(head.ordinal), runId });
  notifyOwner(connection, head.ownerId);
  return "deleted";
}

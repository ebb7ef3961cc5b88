import {
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  type RunRecord,
  STATUSES,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { dropDue } from "./due.ts";
import { addListEntry, dropListEntry } from "./list-entries.ts";
import { sendCreateRun } from "./scripts/create-run.ts";
import { type DeleteRequest, sendDeleteRun } from "./scripts/delete-run.ts";
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
  if (run.ordinal === ordinal) return { outcome: "created", run };
  dropListEntry(connection, entry);
  return existingOutcome(run, ownerId);
}

function existingOutcome(run: RunRecord, ownerId: string): CreateOutcome {
  return run.ownerId === ownerId ? { outcome: "existing", run } : { outcome: "taken" };
}

/**
 * Removes a finished run whole, then its entries in its owner's list and the index of finished runs.
 * @see clauses S17 and S24 in `STORE.md`
 */
export async function deleteRun(
  connection: Connection,
  request: DeleteRequest,
): Promise<DeleteOutcome> {
  const { runId } = request;
  const reply = await sendDeleteRun(connection, request);
  if (reply[0] === "deleted") {
    const [, ownerId, ordinal, topic] = reply;
    for (const runStatus of STATUSES) {
      const named = { runId, ordinal: Number(ordinal), visit: 0 };
      dropListEntry(connection, { ownerId, runStatus, topic, ...named });
    }
    dropDue(connection, connection.keys.ended, { mark: ordinal, runId });
  }
  return reply[0];
}

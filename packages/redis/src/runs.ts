import {
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  type RunRecord,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { dropDue } from "./due.ts";
import { runDamaged } from "./failure.ts";
import { parseHead } from "./head.ts";
import { addListEntry, dropListEntry, STATUSES } from "./list-entries.ts";
import { CREATE_RUN, DELETE_RUN, NEXT_ORDINAL } from "./run-scripts.ts";

/**
 * Makes a run: first its ordinal, then the entry in its owner's list, then the run. Between these steps another process may
 * make it: the last step sees that, and the ordinal tells who did.
 * @see S16
 */
export async function createRun(
  connection: Connection,
  request: CreateRunRequest,
): Promise<CreateOutcome> {
  const { runId, ownerId, metadata } = request;
  const { keys } = connection;
  const asked = connection.run(NEXT_ORDINAL, [keys.ordinal], []);
  // A Redis that is full has no ordinal to give, but it knows the runs that are there.
  asked.catch(() => {});
  const existing = await connection.head(runId);
  if (existing !== null) return existingOutcome(existing, ownerId);
  const ordinal = Number(await asked);
  const { runStatus } = INITIAL_STATE;
  const entry = { ownerId, runStatus, runId, ordinal };
  await addListEntry(connection, entry);
  const { head, events, receipts } = keys.ofRun(runId);
  const reply = (await connection.change(
    CREATE_RUN,
    [head, events, receipts],
    [ownerId, runStatus, String(ordinal), metadata, connection.ring, keys.channel(runId)],
  )) as readonly (string | null)[];
  const run = reply[0] === "lost" && reply.length === 1 ? null : parseHead(runId, reply);
  if (run === null) throw runDamaged();
  // Also when the client has sent the script twice.
  if (run.ordinal === ordinal) return { outcome: "created", run };
  dropListEntry(connection, entry);
  return existingOutcome(run, ownerId);
}

function existingOutcome(run: RunRecord, ownerId: string): CreateOutcome {
  return run.ownerId === ownerId ? { outcome: "existing", run } : { outcome: "taken" };
}

/** Which run to remove. */
export interface DeleteRequest {
  readonly runId: string;
  /** Answer `not_found` unless the run is this owner's; `null` asks nothing. */
  readonly ownerId: string | null;
  /** Answer `not_found` if the run was made anew under its id since; `null` asks nothing. */
  readonly ordinal: string | null;
}

/** Removes a finished run whole, then what its owner's list and the index of finished runs have of it. @see S17, S24 */
export async function deleteRun(
  connection: Connection,
  { runId, ownerId, ordinal: asked }: DeleteRequest,
): Promise<DeleteOutcome> {
  const { keys, ring } = connection;
  const { head, events, receipts } = keys.ofRun(runId);
  const [outcome, owner = "", ordinal = ""] = (await connection.change(
    DELETE_RUN,
    [head, events, receipts],
    [ownerId === null ? "" : `=${ownerId}`, asked ?? "", ring, keys.channel(runId)],
  )) as [DeleteOutcome, string?, string?];
  if (outcome === "deleted") {
    for (const runStatus of STATUSES) {
      dropListEntry(connection, { ownerId: owner, runStatus, runId, ordinal: Number(ordinal) });
    }
    dropDue(connection, keys.ended, { mark: ordinal, runId });
  }
  return outcome;
}

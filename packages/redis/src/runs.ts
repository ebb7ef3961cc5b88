import {
  claimOfCreate,
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  judgeCreate,
  judgeDelete,
  outcomeOfClaim,
  type RunRecord,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { addDue, dropDue } from "./due.ts";
import { addIdleEntry, dropIdleEntry } from "./idle.ts";
import { claimKeyOf, claimRun } from "./leases.ts";
import { addListEntry, dropListEntries, type ListEntry } from "./list-entries.ts";
import { leavePlace, takePlace } from "./places.ts";
import { type RunInPlace, sendCreateRun } from "./scripts/create-run.ts";
import { sendDeleteRun } from "./scripts/delete-run.ts";
import { notifyOwner } from "./scripts/notify-owner.ts";
import { nextOrdinal } from "./scripts/next-ordinal.ts";
import { readHead } from "./scripts/read-head.ts";

/** A creation, with the key under which its claim may come again. */
interface Creation extends Omit<CreateRunRequest, "topic" | "exclusive" | "claim"> {
  readonly topic: string | null;
  readonly exclusive: boolean;
  readonly claim: Parameters<typeof sendCreateRun>[1]["claim"];
}

/**
 * Creates a run: first its ordinal, then its place if it is exclusive, then the entry in its owner's list, then the run. Another process may create it between these
 * steps. The last step sees that, and the ordinal shows which process did.
 * @see clauses S16, S25 and S26 in `STORE.md`
 */
export async function createRun(
  connection: Connection,
  request: CreateRunRequest,
): Promise<CreateOutcome> {
  const { topic = null, exclusive = false, claim = null } = request;
  const keyed = claim === null ? null : { ...claim, claimKey: claimKeyOf(claim.claimKey) };
  const creation: Creation = { ...request, topic, exclusive, claim: keyed };
  for (;;) {
    const outcome = await createOnce(connection, creation);
    if (outcome !== null) return outcome;
  }
}

/** @returns `null` to begin again: another call has created, deleted or voided the run meanwhile */
async function createOnce(
  connection: Connection,
  creation: Creation,
): Promise<CreateOutcome | null> {
  const { runId, ownerId, topic } = creation;
  const asked = nextOrdinal(connection);
  // A full Redis refuses a new ordinal, but answers for an existing run.
  asked.catch(() => {});
  const existing = await readHead(connection, runId);
  if (existing !== null) return answerExisting(connection, existing, creation);
  const ordinal = await asked;
  const holder = { runId, ordinal };
  const busy = await takePlace(connection, creation, holder);
  // Another call may be creating the same run, or may have created it meanwhile: then that one is the answer.
  if (busy !== null) {
    const isOwn = busy.runId === runId || (await readHead(connection, runId)) !== null;
    return isOwn ? null : busy;
  }
  const { runStatus } = INITIAL_STATE;
  const entry = { ownerId, runStatus, topic, runId, ordinal, visit: 0 };
  await Promise.all([
    addListEntry(connection, entry),
    // An ordinal is the time in microseconds at which it was given: the run is created later.
    addIdleEntry(connection, entry, Math.floor(ordinal / 1_000)),
  ]);
  const created = await createIndexed(connection, { ...creation, ...entry });
  if (created?.run.ordinal !== ordinal) {
    dropListEntries(connection, [entry]);
    dropIdleEntry(connection, entry);
    if (topic !== null && creation.exclusive) leavePlace(connection, { ownerId, topic }, holder);
    return created === null ? null : answerExisting(connection, created.run, creation);
  }
  notifyOwner(connection, ownerId, [runId]);
  // Even if the client sent the script twice, the ordinal is this call's. Another worker may have the lease between the two.
  const isOwn = creation.claim === null || creation.claim.claimKey === created.claimKey;
  if (isOwn) return { outcome: "created", run: created.run };
  return answerExisting(connection, created.run, creation);
}

/**
 * Creates the run, in a cluster with an entry in the index of leases before.
 * @returns `null` if it was voided
 */
async function createIndexed(
  connection: Connection,
  run: Parameters<typeof sendCreateRun>[1],
): Promise<RunInPlace | null> {
  const { runId } = run;
  const { held } = connection.keys;
  const reply = await sendCreateRun(connection, run, null);
  if (reply.outcome !== "unindexed") return reply.outcome === "run" ? reply : null;
  const { mark, leaseExpiresAtMs } = reply;
  const entry = { mark, runId };
  await addDue(connection, held, entry, leaseExpiresAtMs);
  const again = await sendCreateRun(connection, run, mark);
  const created = again.outcome === "run" ? again : null;
  // The entry is of no use without its lease.
  const isUsed = created !== null && `${created.run.ordinal}/${created.run.fence}` === mark;
  if (!isUsed) dropDue(connection, held, entry);
  return created;
}

async function answerExisting(
  connection: Connection,
  existing: RunRecord,
  creation: Creation,
): Promise<CreateOutcome | null> {
  const judged = judgeCreate(existing, creation);
  const claim = claimOfCreate(creation);
  if (judged?.outcome !== "existing" || claim === null) return judged;
  const outcome = await claimRun(connection, claim, creation.claim?.claimKey);
  return outcome.outcome === "not_found" ? null : outcomeOfClaim(outcome);
}

/**
 * Removes a finished run whole.
 * @param ownerId whose run it has to be, otherwise the answer is `not_found`; `null` for any owner
 * @see clause S17 in `STORE.md`
 */
export async function deleteRun(
  connection: Connection,
  runId: string,
  ownerId: string | null,
): Promise<DeleteOutcome> {
  const head = await readHead(connection, runId);
  const refusal = judgeDelete(head, ownerId);
  if (head === null || refusal !== null) return refusal ?? "not_found";
  if ((await removeRuns(connection, [head])).length === 0) return "not_found";
  forget(connection, [head]);
  return "deleted";
}

/** A finished run that is to be removed. */
export type RemovedRun = Omit<ListEntry, "visit">;

/**
 * Removes finished runs, and their entries in their owners' lists. A finished run cannot change any more, so if one is missing by then,
 * another process has just removed it.
 * @returns those that this call removed
 * @see clauses S17 and S24 in `STORE.md`
 */
export async function removeRuns<Run extends RemovedRun>(
  connection: Connection,
  runs: readonly Run[],
): Promise<readonly Run[]> {
  const wasThere = await Promise.all(
    runs.map(({ runId, ordinal }) => sendDeleteRun(connection, runId, ordinal)),
  );
  dropListEntries(
    connection,
    runs.map((run) => ({ ...run, visit: 0 })),
  );
  const removed = runs.filter((_, at) => wasThere[at]);
  for (const { ownerId, topic, runId, ordinal } of removed) {
    if (topic !== null) leavePlace(connection, { ownerId, topic }, { runId, ordinal });
  }
  return removed;
}

/** Removes the entries of removed runs in the index of finished runs, and notifies their owners, without waiting. */
export function forget(connection: Connection, removed: readonly RemovedRun[]): void {
  const entries = removed.map(({ runId, ordinal }) => ({ mark: String(ordinal), runId }));
  dropDue(connection, connection.keys.ended, ...entries);
  for (const [ownerId, runs] of Map.groupBy(removed, (run) => run.ownerId))
    notifyOwner(
      connection,
      ownerId,
      runs.map(({ runId }) => runId),
    );
}

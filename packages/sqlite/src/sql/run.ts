import { dueKindOf, type SyncRows } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";
import { HEAD_COLUMNS, type HeadRow, headOfRow } from "./columns.ts";
import { prepareRemains, type Remains } from "./remains.ts";

/** The methods that find, create, save and remove runs. */
type RunRows = Pick<
  SyncRows,
  | "selectHeads"
  | "selectMetadata"
  | "nextOrdinal"
  | "insertRun"
  | "advanceHead"
  | "saveHead"
  | "deleteRun"
>;

/** Prepares the methods. A run's events and receipts are removed with it; those of a long run follow piece by piece. */
export function prepareRun(db: SqliteDatabase, tables: Tables): RunRows & Remains {
  const { runs } = tables;
  const selectOne = prepareStatement(
    db,
    `SELECT ${HEAD_COLUMNS} FROM ${runs} WHERE owner_id = ? AND run_id = ?`,
  );
  // Many in one statement take less time. CROSS makes the planner begin with the names, for tables of any size.
  const selectMany = prepareStatement(
    db,
    `SELECT ${HEAD_COLUMNS} FROM json_each(?) AS name CROSS JOIN ${runs}
       ON owner_id = name.value ->> 0 AND run_id = name.value ->> 1`,
  );
  const metadata = prepareStatement(db, `SELECT metadata FROM ${runs} WHERE run_key = ?`);
  const ordinal = prepareStatement(
    db,
    "SELECT seq + 1 AS next FROM sqlite_sequence WHERE name = ?",
  );
  const insert = prepareStatement(
    db,
    `INSERT INTO ${runs} (run_key, owner_id, run_id, revision, run_status, phase, last_sequence, updated_at_ms, fence,
       lease_expires_at_ms, topic, exclusive, due_kind, due_ms, extra, metadata)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  // No index has these columns.
  const advance = prepareStatement(
    db,
    `UPDATE ${runs} SET revision = ?, phase = ?, last_sequence = ?, updated_at_ms = ?, lease_expires_at_ms = ? WHERE run_key = ?`,
  );
  const save = prepareStatement(
    db,
    `UPDATE ${runs} SET revision = ?, phase = ?, last_sequence = ?, updated_at_ms = ?, lease_expires_at_ms = ?,
       run_status = ?, fence = ?, due_kind = ?, due_ms = ?, extra = ? WHERE run_key = ?`,
  );
  const remove = prepareStatement(
    db,
    `DELETE FROM ${runs} WHERE run_key = ? AND due_kind <> 'removed'`,
  );
  const remains = prepareRemains(db, tables);
  return {
    selectHeads(names) {
      if (names.length > 1) {
        const asked = JSON.stringify(names.map(({ ownerId, runId }) => [ownerId, runId]));
        return (selectMany.all(asked) as HeadRow[]).map(headOfRow);
      }
      const [name] = names;
      const row = selectOne.get(name?.ownerId ?? "", name?.runId ?? "") as HeadRow | undefined;
      return row === undefined ? [] : [headOfRow(row)];
    },
    selectMetadata: (key) => (metadata.get(key) as { readonly metadata: string }).metadata,
    nextOrdinal() {
      const row = ordinal.get(runs) as { readonly next: number } | undefined;
      return row?.next ?? 1;
    },
    insertRun(head) {
      const { ownerId, runId, revision, runStatus, phase, lastSequence, updatedAtMs } = head;
      const { fence, leaseExpiresAtMs, topic, exclusive, dueMs, extra, metadata: text } = head;
      const name = [head.ordinal, ownerId, runId];
      const state = [revision, runStatus, phase, lastSequence, updatedAtMs];
      const lease = [fence, leaseExpiresAtMs, topic, exclusive ? 1 : 0];
      insert.run(...name, ...state, ...lease, dueKindOf(head), dueMs, extra, text ?? "null");
    },
    advanceHead(head) {
      const { revision, phase, lastSequence, updatedAtMs, leaseExpiresAtMs, ordinal: key } = head;
      advance.run(revision, phase, lastSequence, updatedAtMs, leaseExpiresAtMs, key);
    },
    saveHead(head) {
      const { revision, phase, lastSequence, updatedAtMs, leaseExpiresAtMs } = head;
      const position = [revision, phase, lastSequence, updatedAtMs, leaseExpiresAtMs];
      const rest = [head.runStatus, head.fence, dueKindOf(head), head.dueMs, head.extra];
      save.run(...position, ...rest, head.ordinal);
    },
    deleteRun(key) {
      remains.behead(key);
      remove.run(key);
    },
    ...remains,
  };
}

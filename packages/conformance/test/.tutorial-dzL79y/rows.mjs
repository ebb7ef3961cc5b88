import {
  DEPARTURES_MS,
  eventBytes,
  FORGOTTEN_EACH,
  listedStatuses,
} from "@tm/run-events-core/store";
import pg from "pg";

/** The driver gives a bigint as text; all of ours are safe integers. */
const types = {
  getTypeParser: (oid, format) => (oid === 20 ? Number : pg.types.getTypeParser(oid, format)),
};

const HEAD = `run_id AS "runId", owner_id AS "ownerId", run_status AS "runStatus", phase,
  last_sequence AS "lastSequence", ordinal, created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs",
  finished_at_ms AS "finishedAtMs", metadata, topic, idle_from_ms AS "idleFromMs", fence,
  lease_expires_at_ms AS "leaseExpiresAtMs", worker, kept_claim AS "keptClaim"`;

const DUE = { leaseExpiresAtMs: "lease_expires_at_ms", finishedAtMs: "finished_at_ms" };

/** The moves of one transaction on its connection. */
export function rowsOn(client, mode) {
  const select = async (text, ...values) => (await client.query({ text, values, types })).rows;
  const write = async (text, ...values) => void (await client.query({ text, values }));
  /** A column of rows, for `unnest`: one statement writes any number of rows. */
  const columns = (rows, ...names) => names.map((name) => rows.map((row) => row[name]));

  return {
    async now() {
      const [row] = await select(
        "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms",
      );
      return row.ms;
    },
    selectHeads(runIds) {
      const lock = mode === "write" ? "FOR UPDATE" : "";
      return select(
        `SELECT ${HEAD} FROM runs WHERE run_id = ANY ($1) ORDER BY run_id ${lock}`,
        runIds,
      );
    },
    selectReceipts: (keys) =>
      select(
        `SELECT ordinal, idempotency_key AS "idempotencyKey", first_sequence AS "firstSequence",
           last_sequence AS "lastSequence", phase
         FROM unnest($1::bigint[], $2::text[]) AS q (ordinal, idempotency_key)
         JOIN receipts USING (ordinal, idempotency_key)`,
        ...columns(keys, "ordinal", "idempotencyKey"),
      ),
    selectEvents: (ordinal, { since, limit, maxBytes }) =>
      select(
        `SELECT sequence, event_type AS "eventType", payload, created_at_ms AS "createdAtMs"
         FROM (
           SELECT *, sum(octet_length(payload) + ${eventBytes(0)}) OVER (ORDER BY sequence) AS bytes
           FROM events WHERE ordinal = $1 AND sequence > $2 AND sequence <= $2 + $3::bigint
         ) page
         WHERE bytes <= $4 OR sequence = $2 + 1 ORDER BY sequence`,
        ordinal,
        since,
        limit,
        maxBytes,
      ),
    async selectState(ordinal, sequence) {
      const last = (column) =>
        select(
          `SELECT sequence, phase, run_status AS "runStatus" FROM events
           WHERE ordinal = $1 AND sequence <= $2 AND ${column} IS NOT NULL ORDER BY sequence DESC LIMIT 1`,
          ordinal,
          sequence,
        );
      const [start] = await last("phase");
      const [mark = null] = await last("run_status");
      return { phase: start?.phase ?? null, mark };
    },
    selectOwned: ({ ownerId, runStatus, topic = null, before, limit }) =>
      select(
        `SELECT ${HEAD} FROM runs
         WHERE owner_id = $1 AND run_status = ANY($2) AND ordinal < $3 ${topic === null ? "" : "AND topic = $5"}
         ORDER BY ordinal DESC LIMIT $4`,
        ownerId,
        listedStatuses(runStatus),
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
        ...(topic === null ? [] : [topic]),
      ),
    async selectDue(time, untilMs, limit) {
      const rows = await select(
        `SELECT run_id AS "runId" FROM runs WHERE ${DUE[time]} <= $1 ORDER BY ${DUE[time]} LIMIT $2`,
        untilMs,
        limit,
      );
      return rows.map(({ runId }) => runId);
    },
    selectIdle: (runStatus, untilMs, limit) =>
      select(
        `SELECT ${HEAD} FROM runs
         WHERE run_status = $1 AND finished_at_ms IS NULL AND lease_expires_at_ms IS NULL AND idle_from_ms <= $2
         ORDER BY idle_from_ms LIMIT $3`,
        runStatus,
        untilMs,
        limit,
      ),
    async insertRun(run, exclusive) {
      const [row] = await select(
        `INSERT INTO runs (run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata, topic, idle_from_ms, fence, exclusive)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING ordinal`,
        run.runId,
        run.ownerId,
        run.runStatus,
        run.phase,
        run.lastSequence,
        run.createdAtMs,
        run.updatedAtMs,
        run.metadata,
        run.topic,
        run.idleFromMs,
        run.fence,
        exclusive,
      );
      return row?.ordinal ?? null;
    },
    insertEvents: (rows) =>
      write(
        `INSERT INTO events (ordinal, sequence, event_type, phase, payload, created_at_ms, run_status)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])`,
        ...columns(
          rows,
          "ordinal",
          "sequence",
          "eventType",
          "phase",
          "payload",
          "createdAtMs",
          "runStatus",
        ),
      ),
    insertReceipts: (rows) =>
      write(
        `INSERT INTO receipts (ordinal, idempotency_key, first_sequence, last_sequence, phase)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])`,
        ...columns(rows, "ordinal", "idempotencyKey", "firstSequence", "lastSequence", "phase"),
      ),
    async saveHeads(moved) {
      for (const { after: head } of moved) {
        await write(
          `UPDATE runs SET run_status = $2, phase = $3, last_sequence = $4, updated_at_ms = $5, finished_at_ms = $6,
             fence = $7, lease_expires_at_ms = $8, worker = $9, kept_claim = $10, idle_from_ms = $11 WHERE ordinal = $1`,
          head.ordinal,
          head.runStatus,
          head.phase,
          head.lastSequence,
          head.updatedAtMs,
          head.finishedAtMs,
          head.fence,
          head.leaseExpiresAtMs,
          head.worker,
          head.keptClaim,
          head.idleFromMs,
        );
      }
    },
    async deleteRuns(ordinals) {
      for (const table of ["receipts", "events", "runs"]) {
        await write(`DELETE FROM ${table} WHERE ordinal = ANY ($1)`, ordinals);
      }
    },
    async insertDepartures(departures, nowMs) {
      // A later mark must not be seen before an earlier one.
      await write("LOCK TABLE departures IN SHARE ROW EXCLUSIVE MODE");
      await write(
        // The newest of the old ones stays: a good cursor may have its mark.
        `DELETE FROM departures WHERE mark = ANY (ARRAY(
           SELECT mark FROM departures WHERE departed_at_ms < $1
             AND mark < (SELECT max(mark) FROM departures WHERE departed_at_ms < $1) ORDER BY mark LIMIT $2))`,
        nowMs - DEPARTURES_MS,
        FORGOTTEN_EACH * departures.length,
      );
      await write(
        `INSERT INTO departures (owner_id, topic, run_id, departed_at_ms)
         SELECT *, $4::bigint FROM unnest($1::text[], $2::text[], $3::text[])`,
        ...columns(departures, "ownerId", "topic", "runId"),
        nowMs,
      );
    },
    async selectDepartures({ ownerId, topic, since, limit }) {
      const [name, mark, at] = (since ?? "_0_0").split("_");
      const [newest] = await select(
        `SELECT 'departures'::regclass::oid::text AS name, coalesce(mark, 0) AS mark, coalesce(departed_at_ms, 0) AS at,
           EXISTS (SELECT FROM departures WHERE mark = $1 AND departed_at_ms = $2) AS "isThere",
           floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms
         FROM (SELECT max(mark) AS last FROM departures) newest LEFT JOIN departures ON mark = last`,
        mark,
        at,
      );
      // After a restored backup, a number comes again with another time.
      const markOf = (place) => `${newest.name}_${place.mark}_${place.at}`;
      const isKnown = name === newest.name && (mark === "0" || newest.isThere);
      const found = !isKnown
        ? []
        : await select(
            `SELECT mark, run_id AS "runId", departed_at_ms AS at FROM departures
             WHERE owner_id = $1 AND mark > $2 ${topic === null ? "" : "AND topic = $4"} ORDER BY mark LIMIT $3`,
            ownerId,
            mark,
            limit,
            ...(topic === null ? [] : [topic]),
          );
      return {
        isKnown,
        departures: found.map((row) => ({ runId: row.runId, mark: markOf(row) })),
        hasMore: found.length === limit,
        mark: markOf(newest),
        nowMs: newest.ms,
      };
    },
    selectLive: ({ ownerId, topic }) =>
      select(
        `SELECT run_id AS "runId", ordinal, last_sequence AS "lastSequence", updated_at_ms AS "updatedAtMs" FROM runs
         WHERE owner_id = $1 AND run_status = ANY($2) ${topic === null ? "" : "AND topic = $3"}`,
        ownerId,
        listedStatuses("live"),
        ...(topic === null ? [] : [topic]),
      ),
    async writeProbe() {
      const [probe] = await select("INSERT INTO probes DEFAULT VALUES RETURNING id");
      await write("DELETE FROM probes WHERE id = $1", probe.id);
    },
  };
}

/** The positions of the runs that exist, in one statement for all subscribed runs. */
export async function selectPositions(client, runIds) {
  const text = `SELECT run_id AS "runId", ordinal, last_sequence AS "lastSequence" FROM runs WHERE run_id = ANY ($1)`;
  return (await client.query({ text, values: [runIds], types })).rows;
}

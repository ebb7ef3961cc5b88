import type { Client, Transaction } from "@libsql/client";
import type { KvEngine } from "@tm/run-events-core/store";

const SCHEMA =
  "CREATE TABLE IF NOT EXISTS run_events (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
// An error undoes the batch: `json` throws for what is no JSON.
const CHECK = `SELECT json(iif(EXISTS (SELECT 1 FROM json_each(?) AS c LEFT JOIN run_events AS e ON e.key = c.value ->> 'key'
  WHERE e.value IS NOT c.value ->> 'value'), 'conflict', '1'))`;
const WRITE = `INSERT INTO run_events SELECT value ->> 'key', value ->> 'value' FROM json_each(?) WHERE value ->> 'value' IS NOT NULL
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
const REMOVE = `DELETE FROM run_events WHERE key IN (SELECT value ->> 'key' FROM json_each(?) WHERE value ->> 'value' IS NULL)`;
const GET = `SELECT e.value FROM json_each(?) AS k LEFT JOIN run_events AS e ON e.key = k.value ORDER BY k.key`;
const SCAN = "SELECT key, value FROM run_events WHERE key >= ? AND key < ? ORDER BY key";
const NOW = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** An engine on libSQL: the client may be of a file that one process opens, of a server, or of Turso. */
export async function createLibsqlEngine(client: Client): Promise<KvEngine> {
  if (client.protocol === "file") await client.execute("PRAGMA journal_mode = WAL");
  await client.execute(SCHEMA);
  let reading: Promise<unknown> = Promise.resolve();

  async function readOnce<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const tx = await client.transaction("read");
    return work(tx).finally(() => tx.close());
  }

  return {
    limits: { mostOps: 1_000, mostBytes: 16_777_216 },
    read(work) {
      // One after the other: a client has a limited number of connections for transactions.
      const result = reading.then(() =>
        readOnce((tx) =>
          work({
            async get(keys) {
              const { rows } = await tx.execute({ sql: GET, args: [JSON.stringify(keys)] });
              return rows.map((row) => row["value"] as string | null);
            },
            async scan({ from, to, limit, reverse }) {
              const sql = `${SCAN}${reverse ? " DESC" : ""} LIMIT ?`;
              const { rows } = await tx.execute({ sql, args: [from, to, limit] });
              return rows.map((row) => ({
                key: row["key"] as string,
                value: row["value"] as string,
              }));
            },
          }),
        ),
      );
      reading = result.catch(() => {});
      return result;
    },
    async commit(checks, writes) {
      const pairs = JSON.stringify(writes);
      try {
        await client.batch(
          [
            [CHECK, [JSON.stringify(checks)]],
            [WRITE, [pairs]],
            [REMOVE, [pairs]],
          ],
          "write",
        );
        return true;
      } catch (error) {
        if (error instanceof Error && error.message.includes("malformed JSON")) return false;
        throw error;
      }
    },
    async now() {
      const { rows } = await client.execute(NOW);
      return Number(rows[0]?.[0]);
    },
    async close() {
      client.close();
    },
  };
}

import pg from "pg";
import { runIdOf } from "./append-writer.ts";
import { serveBareLog } from "./latency-bare.ts";
import { createLog, createPool } from "./postgres-log.ts";
import { APPEND_AND_NOTIFY } from "./postgres-statement.ts";

const SELECT = `
SELECT sequence::int, event_type AS "eventType", payload, e.created_at_ms::float8 AS "createdAtMs"
FROM run_events.runs JOIN run_events.events e USING (run_key) WHERE run_id = $1 AND sequence > $2 ORDER BY sequence`;

interface EventRow {
  readonly sequence: number;
  readonly eventType: string;
  readonly payload: string;
  readonly createdAtMs: number;
}

const [, , url = ""] = process.argv;
const runId = runIdOf(0);
const pool = createPool(url);
await (await createLog(pool, 1)).close();

serveBareLog({
  async append(eventType, payload) {
    const { rows } = await pool.query<{ readonly sequence: string }>({
      name: "append",
      text: APPEND_AND_NOTIFY,
      values: [runId, eventType, payload, crypto.randomUUID()],
    });
    return Number(rows[0]?.sequence);
  },
  async follow(onEvent) {
    let since = 0;
    async function readOn(): Promise<void> {
      const { rows } = await pool.query<EventRow>({
        name: "select",
        text: SELECT,
        values: [runId, since],
      });
      for (const event of rows) {
        if (event.sequence <= since) continue;
        since = event.sequence;
        onEvent(event);
      }
    }
    const listener = new pg.Client(url);
    await listener.connect();
    listener.on("notification", () => void readOn());
    await listener.query("LISTEN run_events");
  },
});

import { appendInGrid, GRID_RUNS, type GridWriter } from "./append-grid-writer.ts";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countEvents, createLog, createPool } from "./postgres-log.ts";
import { APPEND, APPEND_BATCH } from "./postgres-statement.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , url = ""] = process.argv;
const pool = createPool(url);
await (await createLog(pool, GRID_RUNS)).close();
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);

async function append(runId: string, batch: number): Promise<void> {
  const key = crypto.randomUUID();
  const payloads = Array.from({ length: batch }, () => JSON.stringify(payload));
  const { rows } =
    batch === 1
      ? await pool.query(APPEND, [runId, eventType, payloads[0], key])
      : await pool.query(APPEND_BATCH, [runId, payloads.map(() => eventType), payloads, key]);
  if (rows.length !== 1) throw new Error(`There is no run ${runId}.`);
}

serveParent<GridWriter>({
  append: (load) => appendInGrid(load, append),
  count: () => countEvents(pool),
});

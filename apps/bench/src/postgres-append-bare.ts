import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countEvents, createLog, createPool } from "./postgres-log.ts";
import { APPEND, APPEND_AND_NOTIFY } from "./postgres-statement.ts";
import { sampleEvent } from "./sample-event.ts";

/** How a statement goes out: its text each time, under a name that each connection has parsed once, or with a notification. */
export type BareAppend = "text" | "prepared" | "notify";

const [, , url = "", kind = ""] = process.argv;
const pool = createPool(url);
await (await createLog(pool)).close();
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);
const text = (kind as BareAppend) === "notify" ? APPEND_AND_NOTIFY : APPEND;
const name = (kind as BareAppend) === "prepared" ? { name: "append" } : {};

async function append(runId: string): Promise<void> {
  const values = [runId, eventType, JSON.stringify(payload), crypto.randomUUID()];
  const { rows } = await pool.query({ ...name, text, values });
  if (rows.length !== 1) throw new Error(`There is no run ${runId}.`);
}

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, append),
  count: () => countEvents(pool),
});

import { APPEND_EVENT_BYTES, type AppendWriter, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

// The least that appends to the same tables: no batch of others' calls, no checks, no bell, no promise.
interface Head {
  readonly run_key: number;
  readonly last_sequence: number;
}

const appendsATransaction = Number(process.argv[3]);
const { database } = await createLog(process.argv[2] ?? "");
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);

const selectHead = database.prepare<[string], Head>(
  "SELECT run_key, last_sequence FROM run_events_runs WHERE run_id = ?",
);
const insertEvent = database.prepare(
  `INSERT INTO run_events_events (run_key, sequence, event_type, phase, payload, created_at_ms)
   VALUES (?, ?, ?, NULL, ?, ?)`,
);
const updateHead = database.prepare(
  "UPDATE run_events_runs SET run_status = 'running', last_sequence = ?, updated_at_ms = ? WHERE run_key = ?",
);

function appendOne(runId: string): void {
  const head = selectHead.get(runId);
  if (head === undefined) throw new Error(`There is no run ${runId}.`);
  const nowMs = Date.now();
  const sequence = head.last_sequence + 1;
  insertEvent.run(head.run_key, sequence, eventType, JSON.stringify(payload), nowMs);
  updateHead.run(sequence, nowMs, head.run_key);
}

const appendMany = database.transaction((first: number, count: number, runs: number) => {
  for (let index = first; index < first + count; index++) appendOne(runIdOf(index % runs));
});

serveParent<AppendWriter>({
  append: ({ appends, runs }) =>
    measure(appends, () => {
      for (let first = 0; first < appends; first += appendsATransaction) {
        appendMany.immediate(first, Math.min(appendsATransaction, appends - first), runs);
      }
    }),
  count: () => countEvents(database),
});

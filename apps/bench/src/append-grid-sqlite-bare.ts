import { appendInGrid, GRID_RUNS, type GridWriter } from "./append-grid-writer.ts";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { sampleEvent } from "./sample-event.ts";
import { prepareAppend } from "./sqlite-bare.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

const { database } = await createLog(process.argv[2] ?? "", GRID_RUNS);
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);
const appendOne = prepareAppend(database);
const appendBatch = database.transaction((runId: string, batch: number) => {
  for (let event = 0; event < batch; event++) {
    appendOne(runId, { eventType, payload: JSON.stringify(payload), createdAtMs: Date.now() });
  }
});

serveParent<GridWriter>({
  append: (load) => appendInGrid(load, async (runId, batch) => appendBatch.immediate(runId, batch)),
  count: () => countEvents(database),
});

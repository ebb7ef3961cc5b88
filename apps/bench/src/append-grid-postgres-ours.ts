import { appendInGrid, GRID_RUNS, type GridWriter } from "./append-grid-writer.ts";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countEvents, createLog, createPool } from "./postgres-log.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , url = ""] = process.argv;
const pool = createPool(url);
const runs = await createLog(pool, GRID_RUNS);
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<GridWriter>({
  append: (load) =>
    appendInGrid(load, (runId, batch) =>
      runs.append(
        runId,
        Array.from({ length: batch }, () => event),
      ),
    ),
  count: () => countEvents(pool),
});

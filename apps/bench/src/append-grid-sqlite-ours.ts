import { appendInGrid, GRID_RUNS, type GridWriter } from "./append-grid-writer.ts";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { sampleEvent } from "./sample-event.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

const { database, runs } = await createLog(process.argv[2] ?? "", GRID_RUNS);
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<GridWriter>({
  append: (load) =>
    appendInGrid(load, (runId, batch) =>
      runs.append(
        runId,
        Array.from({ length: batch }, () => event),
      ),
    ),
  count: () => countEvents(database),
});

import { Redis } from "ioredis";
import { appendInGrid, GRID_RUNS, type GridWriter } from "./append-grid-writer.ts";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countEvents, createLog } from "./redis-log.ts";
import { sampleEvent } from "./sample-event.ts";

const PREFIX = "ours";

const redis = new Redis(process.argv[2] ?? "");
const runs = await createLog(redis, PREFIX, GRID_RUNS);
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<GridWriter>({
  append: (load) =>
    appendInGrid(load, (runId, batch) =>
      runs.append(
        runId,
        Array.from({ length: batch }, () => event),
      ),
    ),
  count: () => countEvents(redis, PREFIX, GRID_RUNS),
});

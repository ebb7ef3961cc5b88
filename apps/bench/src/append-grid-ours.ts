import type { RunEvents } from "@tm/run-events-core";
import { appendInGrid, type GridWriter } from "./append-grid-writer.ts";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { sampleEvent } from "./sample-event.ts";

/** Serves the grid with a store of ours. */
export function serveOurGrid(runs: RunEvents, count: GridWriter["count"]): void {
  const event = sampleEvent(APPEND_EVENT_BYTES);
  serveParent<GridWriter>({
    append: (load) =>
      appendInGrid(load, (runId, batch) =>
        runs.append(
          runId,
          Array.from({ length: batch }, () => event),
        ),
      ),
    count,
  });
}

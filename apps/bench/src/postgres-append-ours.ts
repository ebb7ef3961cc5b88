import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countEvents, createLog, createPool } from "./postgres-log.ts";
import { keepNotifications } from "./quiet-pool.ts";
import { sampleEvent } from "./sample-event.ts";

/** Whether notifications go out, or stay in the process. */
export type OurNotifications = "sent" | "kept";

const [, , url = "", notifications = ""] = process.argv;
const pool = createPool(url);
const runs = await createLog(
  (notifications as OurNotifications) === "kept" ? keepNotifications(pool) : pool,
);
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, (runId) => runs.append(runId, [event])),
  count: () => countEvents(pool),
});

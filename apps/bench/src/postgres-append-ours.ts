import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countEvents, createLog, createPool } from "./postgres-log.ts";
import { keepNotifications, passNotifications } from "./quiet-pool.ts";
import { sampleEvent } from "./sample-event.ts";

/** Whether notifications go out, through a pool as it is or one that is watched, or stay in the process. */
export type OurNotifications = "sent" | "passed" | "kept";

const [, , url = "", notifications = "sent"] = process.argv;
const pool = createPool(url);
const shown: Readonly<Record<OurNotifications, () => typeof pool>> = {
  sent: () => pool,
  passed: () => passNotifications(pool),
  kept: () => keepNotifications(pool),
};
const runs = await createLog(shown[notifications as OurNotifications]());
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, (runId) => runs.append(runId, [event])),
  count: () => countEvents(pool),
});

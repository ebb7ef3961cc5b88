import { Redis } from "ioredis";
import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countKeyedEvents, createLog } from "./redis-log.ts";
import { sampleEvent } from "./sample-event.ts";

const PREFIX = "ours";

const redis = new Redis(process.argv[2] ?? "");
const runs = await createLog(redis, PREFIX);
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, (runId) => runs.append(runId, [event])),
  count: () => countKeyedEvents(redis, PREFIX),
});

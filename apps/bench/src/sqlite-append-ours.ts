import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { sampleEvent } from "./sample-event.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

const { database, runs } = await createLog(process.argv[2] ?? "");
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, (runId) => runs.append(runId, [event])),
  count: () => countEvents(database),
});

import {
  APPEND_EVENT_BYTES,
  type AppendWriter,
  CALLERS,
  countEvents,
  createLog,
  runIdOf,
} from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

const { database, runs } = await createLog(process.argv[2] ?? "");
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<AppendWriter>({
  append(load) {
    let left = load.appends;
    async function call(runId: string): Promise<void> {
      while (left > 0) {
        left -= 1;
        await runs.append(runId, [event]);
      }
    }
    return measure(load.appends, async () => {
      await Promise.all(
        Array.from({ length: CALLERS }, (_, caller) => call(runIdOf(caller % load.runs))),
      );
    });
  },
  count: () => countEvents(database),
});

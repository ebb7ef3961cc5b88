import {
  APPEND_EVENT_BYTES,
  type AppendWriter,
  appendTogether,
  OWNER,
  runIdOf,
} from "./append-writer.ts";
import { runSubject, serveParent } from "./child.ts";
import { measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";
import { countEvents, createLog, prepareAppend } from "./sqlite-log.ts";

const event = sampleEvent(APPEND_EVENT_BYTES);

await runSubject({
  async ours(file = "") {
    const { database, runs } = await createLog(file);
    serveParent<AppendWriter>({
      append: (load) => appendTogether(load, (runId) => runs.as(OWNER).append(runId, [event])),
      count: () => countEvents(database),
    });
  },
  async bare(file = "", appendsATransaction = "") {
    const { database } = await createLog(file);
    const { eventType, payload } = event;
    const size = Number(appendsATransaction);
    const appendOne = prepareAppend(database);
    const appendMany = database.transaction((first: number, count: number, runs: number) => {
      for (let index = first; index < first + count; index++) {
        const bare = { eventType, payload: JSON.stringify(payload), createdAtMs: Date.now() };
        appendOne(runIdOf(index % runs), bare);
      }
    });
    serveParent<AppendWriter>({
      append: ({ appends, runs }) =>
        measure(appends, () => {
          for (let first = 0; first < appends; first += size) {
            appendMany.immediate(first, Math.min(size, appends - first), runs);
          }
        }),
      count: () => countEvents(database),
    });
  },
});

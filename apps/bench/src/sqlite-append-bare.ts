import { APPEND_EVENT_BYTES, type AppendWriter, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";
import { prepareAppend } from "./sqlite-bare.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

const appendsATransaction = Number(process.argv[3]);
const { database } = await createLog(process.argv[2] ?? "");
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);
const appendOne = prepareAppend(database);

const appendMany = database.transaction((first: number, count: number, runs: number) => {
  for (let index = first; index < first + count; index++) {
    const createdAtMs = Date.now();
    appendOne(runIdOf(index % runs), {
      eventType,
      payload: JSON.stringify(payload),
      createdAtMs,
    });
  }
});

serveParent<AppendWriter>({
  append: ({ appends, runs }) =>
    measure(appends, () => {
      for (let first = 0; first < appends; first += appendsATransaction) {
        appendMany.immediate(first, Math.min(appendsATransaction, appends - first), runs);
      }
    }),
  count: () => countEvents(database),
});

import { createBareAppendServer } from "./http-append-bare-server.ts";
import { serveHttpAppend } from "./http-append-server.ts";
import { prepareAppend } from "./sqlite-bare.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

// One transaction for whatever has come in a turn of the event loop, and in the next if it was not one alone: as ours.
const { database } = await createLog(process.argv[2] ?? "");
const append = prepareAppend(database);
let waiting: (() => () => void)[] = [];

const appendAll = database.transaction((appends: typeof waiting) =>
  appends.map((appendOne) => appendOne()),
);

function gather(): void {
  if (waiting.length > 1) setImmediate(commit);
  else commit();
}

function commit(): void {
  const appends = waiting;
  waiting = [];
  for (const answer of appendAll.immediate(appends)) answer();
}

serveHttpAppend(
  createBareAppendServer((path, { events }, answer) => {
    if (waiting.length === 0) setImmediate(gather);
    waiting.push(() => {
      const runId = path.split("/")[3] ?? "";
      let sequence = 0;
      for (const { eventType, payload } of events) {
        const createdAtMs = Date.now();
        sequence = append(runId, { eventType, payload: JSON.stringify(payload), createdAtMs });
      }
      return () => answer(sequence);
    });
  }),
  () => countEvents(database),
);

import Database from "better-sqlite3";
import { createRunEvents, MAX_BATCH_EVENTS, type RunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { serveParent } from "./child.ts";
import type { GrowthStore } from "./growth-store.ts";
import { measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

const EVENT_BYTES = 300;
/** How many runs are used in turn, so that a large store's pages are as warm as a small one's. */
const USED_RUNS = 50;
/** How many appends of the filling wait for the store together. */
const APPENDS_AT_ONCE = 50;
const PAGE_EVENTS = 100;
const TAIL_EVENTS = 10;
const LIST_RUNS = 50;

const ownerId = "owner";
const [, , file = "", runCount = "", eventsARun = ""] = process.argv;
const event = sampleEvent(EVENT_BYTES);

function runIdOf(index: number): string {
  return `run-${index}`;
}

async function open(synchronous: "FULL" | "NORMAL"): Promise<[RunEvents, Database.Database]> {
  const database = new Database(file);
  const store = createSqliteStore(database, { synchronous });
  await store.migrate();
  return [createRunEvents({ store }), database];
}

/** Fills the file. That is not measured, so it need not wait for the disk. */
async function fill(): Promise<void> {
  const [runs, database] = await open("NORMAL");
  for (let index = 0; index < Number(runCount); index++) {
    await runs.create({ ownerId, runId: runIdOf(index) });
  }
  for (let events = Number(eventsARun); events > 0; events -= MAX_BATCH_EVENTS) {
    const batch = Array.from({ length: Math.min(events, MAX_BATCH_EVENTS) }, () => event);
    for (let first = 0; first < Number(runCount); first += APPENDS_AT_ONCE) {
      const length = Math.min(APPENDS_AT_ONCE, Number(runCount) - first);
      await Promise.all(
        Array.from({ length }, (_, index) => runs.append(runIdOf(first + index), batch)),
      );
    }
  }
  await runs.close();
  database.close();
}

await fill();
const [runs] = await open("FULL");
const used = Array.from({ length: Math.min(USED_RUNS, Number(runCount)) }, (_, index) =>
  runIdOf(Math.floor((index * Number(runCount)) / USED_RUNS)),
);
const lastSequences = new Map(used.map((runId) => [runId, Number(eventsARun)]));

/** Measures the work on the used runs in turn. */
function inTurn(times: number, work: (runId: string, last: number) => Promise<void>) {
  return measure(times, async () => {
    for (let time = 0; time < times; time++) {
      const runId = used[time % used.length] ?? "";
      await work(runId, lastSequences.get(runId) ?? 0);
    }
  });
}

serveParent<GrowthStore>({
  append: (times) =>
    inTurn(times, async (runId) => {
      lastSequences.set(runId, (await runs.append(runId, [event])).lastSequence);
    }),
  read: (times) =>
    inTurn(times, async (runId, last) => {
      await runs.read(runId, { since: Math.max(0, last - PAGE_EVENTS), limit: PAGE_EVENTS });
    }),
  tail: (times) =>
    inTurn(times, async (runId, last) => {
      for await (const { sequence } of runs.tail(runId, { since: last - TAIL_EVENTS })) {
        if (sequence === last) break;
      }
    }),
  list: (times) =>
    inTurn(times, async () => {
      await runs.list({ ownerId, limit: LIST_RUNS });
    }),
});

import Database from "better-sqlite3";
import { createRunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { GROWTH_EVENT_BYTES, type GrowthStore } from "./growth-store.ts";
import { measure } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

/** How many runs are used in turn, so that a large store's pages are as warm as a small one's. */
const USED_RUNS = 50;
/** How many appends warm each used run. */
const WARM_APPENDS = 100;
const PAGE_EVENTS = 100;
const TAIL_EVENTS = 10;
const LIST_RUNS = 50;

const [, , file = "", runCount = "", eventsARun = ""] = process.argv;
const event = sampleEvent(GROWTH_EVENT_BYTES);

const runs = createRunEvents({ store: createSqliteStore(new Database(file)) });
const used = Array.from({ length: Math.min(USED_RUNS, Number(runCount)) }, (_, index) =>
  runIdOf(Math.floor((index * Number(runCount)) / USED_RUNS)),
);
const lastSequences = new Map(used.map((runId) => [runId, Number(eventsARun)]));

/**
 * Brings the used runs' pages into the cache and makes the first splits of full ones. In a store of few runs the first
 * measured calls would have done that for all of them; the same number beside many runs does it for a part.
 */
for (let round = 0; round < WARM_APPENDS; round++) {
  const appended = await Promise.all(used.map((runId) => runs.append(runId, [event])));
  for (const [index, runId] of used.entries()) {
    lastSequences.set(runId, appended[index]?.lastSequence ?? 0);
  }
}

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
      await runs.list({ ownerId: OWNER, limit: LIST_RUNS });
    }),
});

import type { RunRecord, StoredEvent } from "@tm/run-events-core/store";
import { type KitPage, type KitQuery, type KitStore, OWNER } from "./kit-store.ts";
import { foldEvent } from "@tm/run-events-core/wire";
import { assert, assertEqual, assertKept, inClause } from "./assert.ts";

const ALL_BYTES = Number.MAX_SAFE_INTEGER;
const PAGE_LIMIT = 1_000;
/** The state of a run before its first event. */
export const NO_EVENTS = { runStatus: "queued", phase: null } as const;

/** Creates a run that is not there yet. */
export async function createRun(
  store: KitStore,
  runId: string,
  ownerId: string = OWNER,
  metadata = "null",
): Promise<RunRecord> {
  const created = await store.createRun({ runId, ownerId, metadata });
  assert(created.outcome === "created", `creating ${runId} is answered created`);
  return created.run;
}

/** One query alone; by default everything, up to 1,000 events. */
export async function readPage(
  store: KitStore,
  runId: string,
  part: Partial<KitQuery> = {},
): Promise<KitPage | null> {
  const query = { since: 0, limit: PAGE_LIMIT, maxBytes: ALL_BYTES, ...part, runId };
  const results = await store.read([query]);
  assertEqual(results.length, 1, "the number of answers to one query");
  const result = results[0] ?? null;
  if (result !== null) checkPage(query, result);
  return result;
}

/** One page of a run that has to be there. */
export async function readRun(
  store: KitStore,
  runId: string,
  part: Partial<KitQuery> = {},
): Promise<KitPage> {
  const result = await readPage(store, runId, part);
  assert(result !== null, `the run with the id "${runId}" can be read`);
  return result;
}

/** A run's head and its whole log, page by page. */
export async function readLog(
  store: KitStore,
  runId: string,
): Promise<{ readonly run: RunRecord; readonly events: readonly StoredEvent[] }> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await readRun(store, runId, { since: events.length });
    assert(
      page.events.length > 0 || page.run.lastSequence <= events.length,
      `a page of ${runId} after ${events.length} is not empty`,
    );
    for (const one of page.events) events.push(one);
    if (events.length < page.run.lastSequence) continue;
    const { runStatus } = events.reduce(foldEvent, NO_EVENTS);
    inClause("S2", () => assertEqual(page.run.runStatus, runStatus, `the status of ${runId}`));
    return { run: page.run, events };
  }
}

/**
 * Checks the promises of every page, even while others append: contiguous, ascending in time, and of the same instant as its head.
 * @throws Error that names what does not hold
 */
function checkPage(query: KitQuery, { run, events }: KitPage): void {
  const { since, limit, maxBytes } = query;
  const end = Math.max(since, run.lastSequence);
  const sequences = events.map((one) => one.sequence);
  const expected = events.map((_, index) => since + 1 + index);
  inClause("S1", () =>
    assertEqual(sequences, expected, `the sequences of the page after ${since}`),
  );
  const isWithin = since + events.length <= end;
  assertKept("S9", isWithin, `a page ends at or before its head ${run.lastSequence}`);
  if (maxBytes === ALL_BYTES) {
    const count = Math.min(limit, end - since);
    inClause("S9", () => assertEqual(events.length, count, "the number of events in the page"));
  }
  let createdAtMs = run.createdAtMs;
  for (const one of events) {
    const isLater = one.createdAtMs >= createdAtMs;
    assertKept("W2", isLater, `createdAtMs does not decrease at ${one.sequence}`);
    createdAtMs = one.createdAtMs;
  }
}

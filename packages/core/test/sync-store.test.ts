import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { landOnce } from "../src/rules/land-once.ts";
import { removalRule } from "../src/rules/run-rules.ts";
import { MemoryRows } from "../src/store/memory-rows.ts";
import { createPolledNotifications } from "../src/store/polled-notifications.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createSyncStore } from "../src/store/sync-store.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { newId } from "./one-run.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { createRunWrites, RUN } from "./run-writes.ts";

const MOST = { runs: 3, events: 6 };

/** A store over rows in memory, whose transactions the test sees, with finished runs of so many events. */
async function openWith(lengths: readonly number[]): Promise<{
  readonly store: RunEventStore;
  /** The number of runs that each transaction has removed. */
  readonly removed: number[];
  /** Called before each transaction that writes. */
  before: () => void;
}> {
  const rows = new MemoryRows(() => 1_000);
  const removed: number[] = [];
  const remove = rows.deleteRun.bind(rows);
  rows.deleteRun = (ordinal) => {
    removed.push((removed.pop() ?? 0) + 1);
    remove(ordinal);
  };
  const opened = {
    removed,
    before: (): void => {},
    store: createSyncStore({
      capabilities: createMemoryStore().capabilities,
      async transact(mode, work) {
        if (mode === "write") opened.before();
        removed.push(0);
        return work(rows);
      },
      notifications: createPolledNotifications({ selectPositions: null, pollMs: 10 }),
      mostRemoved: MOST,
    }),
  };
  const writes = createRunWrites(opened.store);
  for (const [at, length] of lengths.entries()) {
    const name = { ...RUN, runId: `run-${at}` };
    await writes.create(name);
    const tokens = Array.from({ length: length - 1 }, () => newEvent("TOKEN"));
    await writes.append(appendRequest([...tokens, newEvent("RUN_COMPLETED")], name));
  }
  removed.length = 0;
  return opened;
}

function removeAll(store: RunEventStore, count: number): Promise<readonly string[]> {
  const decide = () => landOnce(removalRule(), newId);
  const names = Array.from({ length: count }, (_, at) => ({ ...RUN, runId: `run-${at}` }));
  return store.change(names.map((name) => ({ ...name, decide: decide() })));
}

describe("createSyncStore", () => {
  it("S17: a call removes all its runs, and each transaction only so many runs, and the events of one run too many at most", async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lengths, async (events) => {
        const { store, removed } = await openWith(events);
        expect(await removeAll(store, events.length)).toEqual(events.map(() => "deleted"));
        let from = 0;
        for (const count of removed) {
          const before = events.slice(from, from + count - 1).reduce((sum, one) => sum + one, 0);
          expect(count).toBeLessThanOrEqual(MOST.runs);
          expect(before).toBeLessThan(MOST.events);
          from += count;
        }
        expect(from).toBe(events.length);
      }),
    );
  });

  it("S7: a call whose first transaction fails has changed nothing; a later one that fails leaves it in doubt", async () => {
    for (const [failing, ambiguous, left] of [
      [1, false, 4],
      [2, true, 1],
    ] as const) {
      const opened = await openWith([1, 1, 1, 1]);
      let transactions = 0;
      opened.before = () => {
        transactions += 1;
        if (transactions === failing) throw new RunEventsError("store_unavailable", "full");
      };
      await expect(removeAll(opened.store, 4)).rejects.toMatchObject({ ambiguous });
      opened.before = () => {};
      const query = { ownerId: "ada", topic: null, runStatus: null, before: null, limit: 9 };
      expect(await opened.store.list(query)).toHaveLength(left);
    }
  });
});

import { describe, expect, it, vi } from "vitest";
import { LogEnd } from "../src/follow/log-end.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createRunsBench, type RunsBench, wordsOf } from "./stream-bench.ts";
import { storedEvent } from "./run-record.ts";

const LARGE = "x".repeat(20_000);

/** Of two events each: a run whose page was read in advance may send it while those of others are read. */
const MOST_PIECES_AHEAD = 5;

/** Runs that each have a log of 20 pieces. */
async function createBacklogs(count: number, store?: RunEventStore): Promise<RunsBench> {
  const names = Array.from({ length: count }, (_, at) => `r${at}`);
  const bench = await createRunsBench([...names, "live"], {}, store);
  for (const name of names) await bench.append(name, Array<string>(40).fill("NOTE"), LARGE);
  return bench;
}

/** Lets a reader take one piece at a time, until a frame of this kind has come. */
async function takeUntil(
  { sink, stream }: Awaited<ReturnType<RunsBench["open"]>>,
  words: string,
): Promise<void> {
  while (!wordsOf(sink.frames).includes(words)) {
    sink.drain();
    stream.drained();
    if (sink.fullSinceMs === null) await sink.next();
  }
}

/** The run of each event, in their order. */
function runsOf({ sink }: Awaited<ReturnType<RunsBench["open"]>>): readonly string[] {
  const events = sink.frames.filter(({ data }) => data["type"] === "run_event");
  return events.map(({ data }) => String(data["runId"]));
}

describe("the runs of one stream", () => {
  it("W47: a new event of a quiet run comes within one round of the others' logs", async () => {
    const { open, append } = await createBacklogs(8);
    const names = Array.from({ length: 8 }, (_, at) => `r${at}`);
    const opened = await open([...names, "live"], () => false);
    await takeUntil(opened, "connected live");
    const before = runsOf(opened).length;
    await append("live", ["NOTE"]);
    await takeUntil(opened, "run_event live 1");
    const later = runsOf(opened).slice(before);
    for (const name of names)
      expect(later.filter((one) => one === name).length).toBeLessThanOrEqual(2 * MOST_PIECES_AHEAD);
  });

  it("W47: one page is read at a time for one stream, however many of its runs lag", async () => {
    const store = createMemoryStore();
    let now = 0;
    let most = 0;
    const { open } = await createBacklogs(40, {
      ...store,
      async read(queries) {
        // A read for a reader that opens has a limit of one event.
        const pages = queries.filter(({ limit }) => limit > 1).length;
        now += pages;
        most = Math.max(most, now);
        try {
          return await store.read(queries);
        } finally {
          now -= pages;
        }
      },
    });
    const names = Array.from({ length: 40 }, (_, at) => `r${at}`);
    const { sink } = await open(names);
    const owed = new Set(names.map((name) => `run_event ${name} 40`));
    while (owed.size > 0) {
      await sink.next();
      for (const words of wordsOf(sink.frames)) owed.delete(words);
    }
    expect([most, now]).toStrictEqual([1, 0]);
  });

  it("W47: at most four runs open at once for one stream, and no other one once it has ended", async () => {
    const store = createMemoryStore();
    const gate = Promise.withResolvers<void>();
    const opened: string[] = [];
    let now = 0;
    let most = 0;
    const { log, streams } = await createBacklogs(40, {
      ...store,
      async read(queries) {
        now += queries.length;
        most = Math.max(most, now);
        opened.push(...queries.map(({ runId }) => runId));
        if (opened.length > 20) await gate.promise;
        now -= queries.length;
        return store.read(queries);
      },
    });
    const names = Array.from({ length: 40 }, (_, at) => `r${at}`);
    const stream = streams.openRuns({
      runs: names.map((runId) => ({ runId, since: 0 })),
      feed: null,
      ownerId: "ada",
      authorize: async () => null,
    });
    await vi.waitFor(() => expect(now).toBe(4));
    expect(most).toBe(4);
    stream.closed();
    const before = new Set(opened);
    gate.resolve();
    await log.close();
    expect(new Set(opened)).toStrictEqual(before);
  });

  it("W25: the newest events of all runs together have a bound, and it returns to what is left when they are let go", () => {
    const budget = { left: 1_000 };
    const events = Array.from({ length: 3 }, (_, at) => storedEvent({ sequence: at + 1 }));
    const head = { runStatus: "running", phase: null, lastSequence: 3 } as const;
    const [first, second] = [new LogEnd(budget), new LogEnd(budget)];
    const isKept = (end: LogEnd): boolean => end.sliceAfter({ sequence: 0, atMs: 0 }) !== null;
    first.add(events, head, head);
    first.trim(0);
    expect([isKept(first), budget.left > 0]).toStrictEqual([true, true]);
    second.add(events, head, head);
    // Its readers have been notified by now; who lags reads the log.
    second.trim(0);
    expect([isKept(first), isKept(second), budget.left >= 0]).toStrictEqual([true, false, true]);
    first.trim(3);
    second.trim(3);
    expect([isKept(first), budget.left]).toStrictEqual([false, 1_000]);
  });
});

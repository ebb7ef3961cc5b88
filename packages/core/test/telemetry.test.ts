import { describe, expect, it } from "vitest";
import type { Diagnostic, StoreDiagnostic } from "../src/rules/diagnostic.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { createStoreReports } from "../src/store/store-reports.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { Streams } from "../src/stream/streams.ts";
import { type AdasRuns, createAdasRuns } from "./adas-runs.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeSink } from "./fake-sink.ts";
import { createHastyClock } from "./hasty-clock.ts";
import { createLossyStore } from "./lossy-store.ts";
import { observe } from "./observed-runs.ts";
import { settleTurns } from "./settle-turns.ts";

const LEASE = { leaseMs: 30_000 };

/** A store whose writes take this long. */
function slowStore(clock: FakeClock, ms: number): RunEventStore {
  const store = createMemoryStore();
  return {
    ...store,
    async append(plains) {
      const landings = await store.append(plains);
      if (landings.some((landing) => landing !== null)) clock.advance(ms);
      return landings;
    },
    async change(changes) {
      const answers = await store.change(changes);
      clock.advance(ms);
      return answers;
    },
  };
}

describe("appends", () => {
  it("S7: an append is reported with its run, its events, its time and its outcome", async () => {
    const clock = createFakeClock();
    const { runs, all } = await observe(slowStore(clock, 12), {}, clock);
    const key = { idempotencyKey: "k" };
    const events = [{ eventType: "A" }, { eventType: "B", payload: "secret" }];
    await runs.append("r", events, key);
    await runs.append("r", events, key);
    await runs.append("r", [{ eventType: "A" }], { expectedSequence: 9 }).catch(() => {});
    await runs.append("r", [{ eventType: "lower" }]).catch(() => {});
    await runs.input("r", "secret");
    const appends = all.filter(({ type }) => type === "append");
    const measured = { type: "append", runId: "r", ms: 12 };
    expect(appends).toStrictEqual([
      { ...measured, events: 2, outcome: "appended", lastSequence: 2 },
      { ...measured, events: 2, outcome: "replayed", lastSequence: 2 },
      { ...measured, events: 1, outcome: "sequence_conflict", lastSequence: null },
      { ...measured, events: 1, ms: 0, outcome: "invalid_event", lastSequence: null },
      { ...measured, events: 1, outcome: "appended", lastSequence: 3 },
    ]);
    expect(JSON.stringify(all)).not.toContain("secret");
  });

  it("a group is reported with its appends, and with the writes that wait for the next; a creation is not reported", async () => {
    const clock = createFakeClock();
    const { runs, of } = await observe(slowStore(clock, 7), {}, clock);
    // From then on a group is as large as one owner's may be.
    clock.advance(60_000);
    await Promise.all(Array.from({ length: 1_100 }, () => runs.append("r", [{ eventType: "A" }])));
    await settleTurns(1);
    const group = { type: "append_group", ms: 7 };
    expect(of("append_group")).toStrictEqual([
      { ...group, appends: 1_024, queued: 76 },
      { ...group, appends: 76, queued: 0 },
    ]);
  });

  it("S7: an append whose answer was lost is reported with how often it was sent again", async () => {
    const all: Diagnostic[] = [];
    const store = createMemoryStore();
    await createAdasRuns({ store }).create({ runId: "r" });
    const runs = createAdasRuns({
      store: createLossyStore(["landed", "lost", "answered"], store),
      clock: createHastyClock(),
      telemetry: { onDiagnostic: (one) => void all.push(one) },
    });
    await runs.append("r", [{ eventType: "A" }]);
    await settleTurns(1);
    expect(all.filter(({ type }) => type === "resend")).toMatchObject([
      { type: "resend", call: "append", sends: 2, outcome: "answered" },
    ]);
    expect(all.filter(({ type }) => type === "append")).toMatchObject([{ outcome: "appended" }]);
  });

  it("S7, W31: a claim that stays in doubt is reported as unknown", async () => {
    const all: Diagnostic[] = [];
    const store = createMemoryStore();
    await createAdasRuns({ store }).create({ runId: "r" });
    const change = async (): Promise<never> => {
      throw new RunEventsError("store_unavailable", "Cut.", { ambiguous: true });
    };
    const runs = createAdasRuns({
      store: { ...store, change },
      clock: createHastyClock(),
      telemetry: { onDiagnostic: (one) => void all.push(one) },
    });
    await runs.claim("r", LEASE).catch(() => {});
    expect(all).toMatchObject([{ type: "resend", call: "claim", outcome: "unknown" }]);
  });
});

describe("readers", () => {
  it.each<readonly [string, (runs: AdasRuns) => AsyncIterable<unknown>, object]>([
    ["at the end of its run", (runs) => runs.tail("r"), { outcome: "finished", events: 2 }],
    ["with an error", (runs) => runs.tail("none"), { outcome: "not_found", events: 0 }],
    [
      "by its signal",
      (runs) => runs.tail("r", { signal: AbortSignal.abort(new TypeError("Stop.")) }),
      { outcome: "left", events: 0 },
    ],
  ])("a tail that ends %s is reported so", async (_how, open, end) => {
    const { runs, of } = await observe();
    await runs.append("r", [{ eventType: "A" }, { eventType: "RUN_COMPLETED" }]);
    await readAll(open(runs)).catch(() => {});
    expect(of("tail_opened")).toHaveLength(1);
    expect(of("tail_ended")).toMatchObject([end]);
  });

  it("a tail whose reader leaves the loop is reported as left", async () => {
    const { runs, of } = await observe();
    await runs.append("r", [{ eventType: "A" }]);
    for await (const _event of runs.tail("r")) break;
    expect(of("tail_ended")).toMatchObject([{ runId: "r", outcome: "left", events: 1, ms: 0 }]);
  });

  it("S13: events that only a reread finds are reported, since their notification was lost", async () => {
    const store = createMemoryStore();
    let isLosing = false;
    const { runs, clock, of } = await observe({
      ...store,
      subscribe: (name, onNotification) =>
        store.subscribe(name, (runId) => isLosing || onNotification(runId)),
    });
    const tail = runs.tail("r")[Symbol.asyncIterator]();
    const first = tail.next();
    await settleTurns(8);
    await runs.append("r", [{ eventType: "A" }]);
    expect(await first).toMatchObject({ value: { sequence: 1 } });
    const second = tail.next();
    // A reread that finds nothing, and one that a notification has overtaken, are no loss.
    clock.advance(5_000);
    await settleTurns(8);
    await runs.append("r", [{ eventType: "A" }]);
    await second;
    expect(of("notification_missed")).toStrictEqual([]);
    isLosing = true;
    const third = tail.next();
    await settleTurns(8);
    await runs.append("r", [{ eventType: "A" }]);
    await settleTurns(8);
    expect(of("notification_missed")).toStrictEqual([]);
    clock.advance(5_000);
    expect(await third).toMatchObject({ value: { sequence: 3 } });
    expect(of("notification_missed")).toStrictEqual([
      { type: "notification_missed", foundBy: "reread", runs: 1 },
    ]);
    await tail.return?.();
  });

  it("W28: streams are reported when they open, end and are refused", async () => {
    const { runs, clock, all } = await observe();
    const streams = new Streams(runs.log, { maxStreams: 1 });
    const request = { runId: "r", ownerId: "ada", since: 0, authorize: async () => null };
    const stream = streams.open(request);
    await stream.ready;
    streams.open(request);
    stream.start(createFakeSink(() => clock.now()));
    stream.closed();
    expect(all).toStrictEqual([
      { type: "stream_opened" },
      { type: "stream_refused", reason: "overloaded" },
      { type: "stream_ended", reason: "disconnected" },
    ]);
  });
});

describe("upkeep and stores", () => {
  it("W33, S17: a reap and a purge are reported with their runs, also if they fail", async () => {
    const store = createMemoryStore({ now: () => 1_000 });
    const { runs, of } = await observe(store);
    await runs.cancel("r");
    await runs.purge({ finishedForMs: 0 });
    await runs.reap();
    await runs.purge({ finishedForMs: -1 }).catch(() => {});
    const measured = { ms: 0 };
    expect([...of("purge"), ...of("reap")]).toStrictEqual([
      { ...measured, type: "purge", runs: 1, outcome: "done" },
      { ...measured, type: "purge", runs: 0, outcome: "invalid_request" },
      { ...measured, type: "reap", runs: 0, outcome: "done" },
    ]);
  });

  it("a store reports only changes of its connection, and a later observer gets its state", () => {
    const reports = createStoreReports();
    const early: StoreDiagnostic[] = [];
    const late: StoreDiagnostic[] = [];
    reports.observe((one) => early.push(one));
    for (const isUp of [false, true, true]) reports.connected(isUp);
    reports.observe((one) => late.push(one));
    for (const isUp of [false, false, true]) reports.connected(isUp);
    const up = { type: "notifications_up", downMs: null };
    const again = { type: "notifications_up", downMs: expect.any(Number) };
    const lost = { type: "notifications_down", reason: "lost" };
    expect(early).toStrictEqual([up, lost, again]);
    expect(late).toStrictEqual(early);
    for (const _time of [1, 2]) reports.closed();
    expect(early.slice(3)).toStrictEqual([{ type: "notifications_down", reason: "closed" }]);
  });

  it("of two logs on one store, each listener gets the store's reports as its own, and only the work of its log", async () => {
    const reports = createStoreReports();
    const store = { ...createMemoryStore(), observe: reports.observe };
    const one = await observe(store);
    const all: unknown[] = [];
    const onDiagnostic = (diagnostic: Diagnostic): void => {
      all.push({ ...diagnostic });
      Object.assign(diagnostic, { type: "changed" });
    };
    const two = createAdasRuns({ store, telemetry: { onDiagnostic } });
    reports.connected(true);
    const four = await observe(store);
    const up = { type: "notifications_up", downMs: null };
    expect([one.all, four.all]).toStrictEqual([[up], [up]]);
    expect(all).toStrictEqual([up]);
    await two.append("r", [{ eventType: "A" }]);
    expect(all.filter((given) => (given as Diagnostic).type === "append")).toHaveLength(1);
    expect(one.of("append")).toStrictEqual([]);
  });
});

async function readAll(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of events);
}

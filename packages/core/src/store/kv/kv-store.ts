import { describeValue } from "../../rules/describe-value.ts";
import { RunEventsError } from "../../rules/errors.ts";
import { planBackoff } from "../../time/backoff.ts";
import { type Clock, pause, systemClock } from "../../time/clock.ts";
import { createCalls } from "../calls.ts";
import type { RunEventStore, StoreCapabilities } from "../store.ts";
import { changeRuns } from "./change.ts";
import type { KvEngine } from "./engine.ts";
import { createFormatCheck } from "./format.ts";
import { guardEngine } from "./guarded-engine.ts";
import { PROBE } from "./keys.ts";
import { createKvNotifications } from "./notifications.ts";
import { listDue, listOwned, readRuns } from "./reads.ts";
import { StampClock } from "./stamp-clock.ts";

/** Settings of {@link createKvStore}. */
export interface KvStoreOptions {
  /**
   * The failure that an acknowledged commit of the engine survives.
   * @defaultValue `unknown`
   */
  readonly durability?: StoreCapabilities["durability"];
  /**
   * The interval of polls for commits of other processes while there are subscriptions, in milliseconds.
   * @defaultValue 1,000 if the engine watches keys, 50 otherwise
   */
  readonly pollMs?: number;
  /**
   * The process' monotonic clock and its timers.
   * @defaultValue the host's own
   */
  readonly clock?: Clock;
  /**
   * The process' date in milliseconds since 1970. Only for an engine without a clock.
   * @defaultValue `Date.now`
   */
  readonly date?: () => number;
}

/** The greatest delay of a poll and its reads, in milliseconds. */
const POLL_GRACE_MS = 500;
/** The operations of a commit besides events and receipts: the head twice, lists, places, the index. */
const OTHER_OPS = 16;
const OTHER_BYTES = 65_536;
/** The time that a call tries again while others write to the same runs. */
const PATIENCE_MS = 10_000;
const BACKOFF = { firstMs: 2, mostMs: 200, jitter: 1 };

const DURABILITIES: readonly unknown[] = ["memory", "process", "power", "unknown"];

function checkDurability(durability: unknown): void {
  if (DURABILITIES.includes(durability)) return;
  throw new TypeError(
    `Expected \`durability\` to be one of ${DURABILITIES.join(", ")}, got ${describeValue(durability)}.`,
  );
}

/**
 * Makes a whole store of an engine that has ordered keys and an atomic compare-and-set over several of them. Core has the rules, the layout
 * of the keys, the indexes, and a clock where the engine has none. The store closes the engine.
 *
 * @see `KV.md`
 */
export function createKvStore(engine: KvEngine, options: KvStoreOptions = {}): RunEventStore {
  const { durability = "unknown", clock = systemClock, date = () => Date.now() } = options;
  checkDurability(durability);
  const { pollMs = engine.watch === undefined ? 50 : 1_000 } = options;
  const guarded = guardEngine(engine);
  const stamps = new StampClock(guarded, { clock, date });
  const now = (): Promise<number> => guarded.now?.() ?? stamps.now();
  const notifications = createKvNotifications(guarded, pollMs, clock);
  const calls = createCalls();
  const checkFormat = createFormatCheck(guarded);
  const perform = <T>(work: () => Promise<T>): Promise<T> =>
    calls.run(() => checkFormat().then(work));
  let closing: Promise<void> | null = null;

  /** Pauses before a round after a conflict. */
  function patience(): (round: number) => Promise<void> {
    const untilMs = clock.now() + PATIENCE_MS;
    return async (round) => {
      if (clock.now() >= untilMs) {
        throw new RunEventsError(
          "store_unavailable",
          `Expected the runs to be free within ${PATIENCE_MS} ms, but others wrote to them all the time, or the database was too slow. Try again.`,
        );
      }
      // At once the first time, because the other writer has usually finished.
      if (round > 2) await pause(clock, planBackoff(BACKOFF, round - 2, Math.random()));
    };
  }

  const { mostOps, mostBytes } = engine.limits;
  const capabilities: StoreCapabilities = {
    durability,
    shared: true,
    joinsTransaction: false,
    losesAnswers: true,
    // What waits meanwhile is then one read, and as few commits as can be.
    appendsAtOnce: 1,
    notifyWithinMs: pollMs + POLL_GRACE_MS,
    // A key of its own for each receipt, and its check.
    mostEvents: Math.max(1, Math.floor((mostOps - OTHER_OPS) / 2)),
    mostBytes: Math.max(1, mostBytes - OTHER_BYTES),
  };
  return {
    capabilities,
    // An append is no faster here than a change, so core decides about all of them.
    append: async (plains) => plains.map(() => null),
    change: (changes) =>
      perform(() =>
        changeRuns(guarded, changes, {
          now,
          clock,
          onConflict: patience(),
          onCommitted: notifications.committed,
        }),
      ),
    read: (queries) => perform(() => guarded.read((snapshot) => readRuns(snapshot, queries))),
    list: (query) =>
      perform(async () => {
        if (!("due" in query)) return guarded.read((snapshot) => listOwned(snapshot, query));
        // Before the read: it may itself read, and an engine may take one read after another.
        const untilMs = (await now()) - query.forMs;
        return guarded.read((snapshot) => listDue(snapshot, query, untilMs));
      }),
    probe: () =>
      perform(async () => {
        await guarded.commit([], [{ key: PROBE, value: String(await now()) }]);
        return now();
      }),
    subscribe: (subject, onNotification) => notifications.subscribe(subject, onNotification),
    close() {
      notifications.close();
      stamps.stop();
      closing ??= calls.close().then(() => guarded.close());
      return closing;
    },
  };
}

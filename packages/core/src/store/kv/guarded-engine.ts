import { RunEventsError } from "../../rules/errors.ts";
import { createCalls } from "../calls.ts";
import type { KvEngine, KvEntry, KvRange, KvSnapshot } from "./engine.ts";

/**
 * An engine whose errors are those of the contract, whose scans are checked, and whose `get` takes any number of keys. It is closed after the calls under way, of which
 * some are of timers, and takes none after that.
 */
export function guardEngine(engine: KvEngine): KvEngine {
  const { limits } = engine;
  const calls = createCalls();
  const failing = <T>(what: string, ambiguous: boolean, call: () => Promise<T>): Promise<T> =>
    calls.run(() => mapErrors(what, ambiguous, call));
  return {
    limits,
    read: (work) =>
      failing("read", false, () => engine.read((snapshot) => work(gatherGets(snapshot, limits)))),
    commit: (checks, writes) => failing("committed to", true, () => engine.commit(checks, writes)),
    ...(engine.now && {
      now: () => failing("asked for the time", false, async () => engine.now?.() ?? 0),
    }),
    ...(engine.watch && { watch: (onKeys) => engine.watch?.(onKeys) ?? (() => {}) }),
    close: () => calls.close().then(() => engine.close()),
  };
}

/** Reads the keys that are asked for at one moment together, as of many runs, in as many calls as their number takes. */
function gatherGets(snapshot: KvSnapshot, { mostOps }: KvEngine["limits"]): KvSnapshot {
  let next: {
    readonly keys: string[];
    readonly values: Promise<readonly (string | null)[]>;
  } | null = null;

  async function getAll(keys: readonly string[]): Promise<readonly (string | null)[]> {
    // Meanwhile others add theirs.
    await Promise.resolve();
    next = null;
    const values: (string | null)[] = [];
    for (let at = 0; at < keys.length; at += mostOps)
      values.push(...(await snapshot.get(keys.slice(at, at + mostOps))));
    return values;
  }

  function gather(): NonNullable<typeof next> {
    const keys: string[] = [];
    return { keys, values: getAll(keys) };
  }

  return {
    async scan(range) {
      const entries = await snapshot.scan(range);
      checkEntries(entries, range);
      return entries;
    },
    async get(keys) {
      next ??= gather();
      const { keys: all, values } = next;
      const from = all.length;
      all.push(...keys);
      return (await values).slice(from, from + keys.length);
    },
  };
}

/** @throws RunEventsError if a scan answers what it was not asked for: lists would then miss runs, or never end */
function checkEntries(entries: readonly KvEntry[], { from, to, limit, reverse }: KvRange): void {
  const isAfter = ({ key }: KvEntry, { key: before }: KvEntry): boolean =>
    reverse ? key < before : key > before;
  if (entries.length > limit) throw wrongScan(`${entries.length} entries`);
  entries.forEach((entry, at) => {
    if (entry.key < from || entry.key >= to) throw wrongScan("a key outside of the range");
    const before = entries[at - 1];
    if (before !== undefined && !isAfter(entry, before)) throw wrongScan("keys in another order");
  });

  function wrongScan(got: string): RunEventsError {
    const order = reverse ? "descending" : "ascending";
    return new RunEventsError(
      "store_unavailable",
      `Expected \`scan\` to answer at most ${limit} entries from \`from\` to before \`to\`, in ${order} order of their characters' codes, got ${got}. Check the range, the order and the limit of the engine's query, and the collation of its keys.`,
      { retryable: false },
    );
  }
}

async function mapErrors<T>(what: string, ambiguous: boolean, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof RunEventsError) throw cause;
    throw new RunEventsError(
      "store_unavailable",
      `Expected the database to be ${what}, but its driver failed: see \`cause\`. Try again.`,
      { cause, ambiguous },
    );
  }
}

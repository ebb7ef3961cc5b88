import { RunEventsError } from "../../rules/errors.ts";
import { createCalls } from "../calls.ts";
import type { KvEngine, KvSnapshot } from "./engine.ts";

/**
 * An engine whose errors are those of the contract, and whose `get` takes any number of keys. It is closed after the calls under way, of which
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
    scan: (range) => snapshot.scan(range),
    async get(keys) {
      next ??= gather();
      const { keys: all, values } = next;
      const from = all.length;
      all.push(...keys);
      return (await values).slice(from, from + keys.length);
    },
  };
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

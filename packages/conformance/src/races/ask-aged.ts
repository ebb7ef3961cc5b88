import { dueKindOf, nameKey, type RunName } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import type { DueKind } from "../core-calls.ts";
import type { KitStore } from "../kit-store.ts";
import { LONG_MS } from "../lease.ts";
import { storeNow } from "../store-clock.ts";
import type { Age } from "./race.ts";

/** The amount by which `over` is older: more than a call takes, though not all calls. */
const OVER_MS = 500;

/** The age that a call asks for, where nothing else is called meanwhile. */
export interface AgedRuns {
  readonly age: Age;
  /** The run whose age it may be. */
  readonly of: RunName;
  /** The runs that there may be. */
  readonly names: readonly RunName[];
}

interface AskedDue {
  readonly due: DueKind;
  /** The most runs of an answer. @defaultValue no limit */
  readonly limit?: number;
  /** `null` for any age, without a look at the answer. */
  readonly aged: AgedRuns | null;
}

/** A run, and the time of its entry in the index, which is never later than it is due. */
interface DueRun {
  readonly key: string;
  readonly atMs: number;
}

/** Asks for runs that have been due for some time, and compares the answer with the times of the runs. @returns it */
export async function askAged<Answer extends readonly RunName[]>(
  store: KitStore,
  { due, limit = Infinity, aged }: AskedDue,
  ask: (askedMs: number) => Promise<Answer>,
): Promise<Answer> {
  if (aged === null) return ask(0);
  const { age, of, names } = aged;
  const runs = await dueEntries(store, names, due);
  const exact = runs.find(({ key }) => key === nameKey(of));
  const askedMs = await ageMs(store, age, exact?.atMs ?? null);
  const beforeMs = await storeNow(store);
  const answer = await ask(askedMs);
  const afterMs = await storeNow(store);
  const what = `the runs that have been due as ${due} for ${askedMs} ms`;
  assert(answer.length <= limit, `${what} are ${limit} at most, got ${answer.length}`);
  const known = new Set(names.map(nameKey));
  const listed = answer.map(nameKey).filter((key) => known.has(key));
  assertEqual([...new Set(listed)], listed, `${what}, each once`);
  const times = listed.map((key) => {
    const run = runs.find((one) => one.key === key);
    const isOld = run !== undefined && run.atMs + askedMs <= afterMs;
    assert(isOld, `${what} have no others, got ${key}`);
    return run.atMs;
  });
  const inOrder = times.toSorted((a, b) => a - b);
  assertEqual(times, inOrder, `${what}, those that are due for longest first`);
  // An answer that is full may leave out the younger ones.
  const last = answer.length < limit ? Infinity : (times.at(-1) ?? 0);
  const untilMs = Math.min(beforeMs - askedMs, last - 1);
  for (const { key, atMs } of runs) {
    assert(atMs > untilMs || listed.includes(key), `${what} have ${key}`);
  }
  return answer;
}

async function ageMs(store: KitStore, age: Age, atMs: number | null): Promise<number> {
  if (age === "long") return LONG_MS;
  if (age === "any" || atMs === null) return 0;
  const exactMs = Math.max(0, (await storeNow(store)) - atMs);
  return age === "over" ? exactMs + OVER_MS : exactMs;
}

async function dueEntries(
  store: KitStore,
  names: readonly RunName[],
  due: DueKind,
): Promise<readonly DueRun[]> {
  const queries = names.map((name) => ({ ...name, since: 0, limit: 0, maxBytes: 1 }));
  const heads = queries.length === 0 ? [] : await store.inner.read(queries);
  return heads.flatMap((answer) => {
    if (answer === null || dueKindOf(answer.head) !== due) return [];
    const { dueMs, leaseExpiresAtMs, updatedAtMs } = answer.head;
    const latestMs = { leased: leaseExpiresAtMs, finished: updatedAtMs }[due as "leased"];
    assert(
      dueMs <= (latestMs ?? Infinity),
      `the entry of ${answer.head.runId} in the index of due runs is not later than it is due`,
    );
    return [{ key: nameKey(answer.head), atMs: dueMs }];
  });
}

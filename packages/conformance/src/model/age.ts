import { nameKey, type RunName } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import { LONG_MS } from "../lease.ts";
import { storeNow } from "../store-clock.ts";
import type { RealStore } from "./commands.ts";

/** The least age that a call asks for: any, that of one run, a little more than that, or more than a program takes. */
export type Age = "any" | "exact" | "over" | "long";

/** The amount by which `over` is older: more than a call takes, though not all calls. */
const OVER_MS = 500;

/** A run, and since when it is due; `null` if that is not known. */
export interface DueRun extends RunName {
  readonly atMs: number | null;
}

/** The age to ask for. @param atMs since when the run is due that `exact` and `over` are about */
export async function ageMs(real: RealStore, age: Age, atMs: number | null): Promise<number> {
  if (age === "long") return LONG_MS;
  if (age === "any" || atMs === null || !Number.isFinite(atMs)) return 0;
  const exactMs = Math.max(0, (await storeNow(real.next())) - atMs);
  return age === "over" ? exactMs + OVER_MS : exactMs;
}

/** An answer about runs that have been due for some time. */
export interface DueAnswer {
  readonly what: string;
  /** The runs of all programs. */
  readonly names: readonly RunName[];
  readonly askedMs: number;
  readonly limit: number;
  /** The store's clock before the call, and after it. */
  readonly betweenMs: readonly [number, number];
}

/** Compares an answer with the runs that may be due: those that were old enough before the call are in it, and none that was too young after it. */
export function judgeDue(
  { prefix }: RealStore,
  runs: readonly DueRun[],
  { what, names, askedMs, limit, betweenMs: [beforeMs, afterMs] }: DueAnswer,
): void {
  const listed = names.filter(({ runId }) => runId.startsWith(prefix)).map(nameKey);
  assertEqual([...new Set(listed)], listed, `${what}, each once`);
  const byId = new Map(runs.map((run) => [nameKey(run), run]));
  for (const runId of listed) {
    const run = byId.get(runId);
    const isOld = run !== undefined && (run.atMs ?? 0) + askedMs <= afterMs;
    assert(isOld, `${what} have only runs that are due for ${askedMs} ms, got ${runId}`);
  }
  assert(names.length <= limit, `${what} are ${limit} at most, got ${names.length}`);
  const times = listed.map((runId) => byId.get(runId)?.atMs ?? null).filter((at) => at !== null);
  // An answer that is full may leave out the younger ones.
  const last = names.length < limit ? Number.POSITIVE_INFINITY : (times.at(-1) ?? 0);
  const untilMs = Math.min(beforeMs - askedMs, last - 1);
  const owed = runs.filter(({ atMs }) => atMs !== null && atMs <= untilMs);
  for (const run of owed) assert(listed.includes(nameKey(run)), `${what} have ${run.runId}`);
  assertEqual(
    times.toSorted((a, b) => a - b),
    times,
    `${what}, those that are due for longest first`,
  );
}

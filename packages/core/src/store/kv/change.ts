import type { Clock } from "../../time/clock.ts";
import type { Change } from "../store.ts";
import { type Commit, type CompareAndSet, decideChanges, decideOnce } from "../decide-changes.ts";
import { type Committed, committedOf } from "../sync-work.ts";
import { commitUnits, type Unit } from "./commits.ts";
import type { KvEngine } from "./engine.ts";
import { clearRemains } from "./remains.ts";
import { type SeenRun, seeRuns } from "./see.ts";
import { type RemovalsSeen, removingUnit, savingUnit, seeRemovals } from "./units.ts";

/** The commit of a decision. */
interface Planned {
  readonly unit: Unit;
  /** The run to notify of; `null` for none. */
  readonly committed: Committed | null;
}

/** The greatest age of a decision's time at its commit, in milliseconds. Otherwise a suspended process would write one that is long past. */
const MOST_SEEN_AGO_MS = 5_000;

/** The dependencies of changes, besides the engine. */
interface Changing {
  /** The store's clock. */
  readonly now: () => Promise<number>;
  /** The process' monotonic clock. */
  readonly clock: Clock;
  /** Called before each round but the first; if it throws, so does the call. */
  readonly onConflict: (round: number) => Promise<void>;
  readonly onCommitted: (runs: readonly Committed[]) => void;
}

/** Changes runs by compare-and-set. */
export async function changeRuns<Answer>(
  engine: KvEngine,
  changes: readonly Change<Answer>[],
  { now, clock, onConflict, onCommitted }: Changing,
): Promise<readonly Answer[]> {
  let seenAtMs = clock.now();
  let isFirst = true;
  let hasRemoved = false;
  const compareAndSet: CompareAndSet<SeenRun> = {
    async see(asked) {
      seenAtMs = clock.now();
      const nowMs = await now();
      return engine.read((snapshot) => seeRuns(snapshot, asked, nowMs));
    },
    async commit(commits) {
      const planned = await planAll(engine, commits, onConflict);
      const units = planned.map(({ unit }) => unit);
      const isLate = (): boolean => clock.now() - seenAtMs > MOST_SEEN_AGO_MS;
      const committed = await commitUnits(engine, units, { alone: !isFirst, isLate });
      isFirst = false;
      const done = planned.filter((_, at) => committed[at] === true);
      onCommitted(done.flatMap((one) => one.committed ?? []));
      hasRemoved ||= commits.some(
        ({ decision }, at) => decision.after === null && committed[at] === true,
      );
      return committed;
    },
  };
  const answers = await decideChanges(changes, async (left, round) => {
    if (round > 1) await onConflict(round);
    return decideOnce(left, compareAndSet);
  });
  // The runs are gone for all calls. What fails here is left to the next removal.
  if (hasRemoved) await clearRemains(engine).catch(() => {});
  return answers;
}

async function planAll(
  engine: KvEngine,
  commits: readonly Commit<SeenRun>[],
  onConflict: Changing["onConflict"],
): Promise<readonly Planned[]> {
  const removals = commits.filter(({ decision }) => decision.after === null);
  const places = await prepareRemovals(
    engine,
    removals.map(({ seen }) => seen),
    onConflict,
  );
  return commits.map(({ seen, decision }): Planned => {
    const { after } = decision;
    const { head: before } = seen;
    const committed = committedOf(before, after);
    if (after !== null) return { unit: savingUnit(seen, decision, after), committed };
    // A run that does not exist is removed as it is.
    if (before === null) return { unit: { checks: seen.checks, writes: [] }, committed };
    return { unit: removingUnit(seen, before, places.get(seen.id) ?? null), committed };
  });
}

/**
 * Raises the floors of ordinals above those of runs that are about to be removed, which does no harm if the runs then stay.
 * @returns the values of the places of their topics
 */
async function prepareRemovals(
  engine: KvEngine,
  removed: readonly SeenRun[],
  onConflict: Changing["onConflict"],
): Promise<RemovalsSeen["places"]> {
  const asked = removed.flatMap(({ id, head }) => (head === null ? [] : { id, head }));
  if (asked.length === 0) return new Map();
  for (let round = 1; ; round++) {
    if (round > 2) await onConflict(round);
    const { places, raises } = await engine.read((snapshot) => seeRemovals(snapshot, asked));
    if (raises.length === 0) return places;
    await commitUnits(engine, raises, {});
  }
}

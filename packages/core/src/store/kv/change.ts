import type { Clock } from "../../time/clock.ts";
import type { Change } from "../store.ts";
import { type Commit, type CompareAndSet, decideChanges, decideOnce } from "../decide-changes.ts";
import { type Committed, committedOf } from "../sync-work.ts";
import { commitUnits, type Unit } from "./commits.ts";
import type { KvEngine } from "./engine.ts";
import { clearRemains } from "./remains.ts";
import { type Ordinals, type SeenRun, seeRuns } from "./see.ts";
import { removingUnit, savingUnit } from "./units.ts";

/** The greatest age of a decision's time at its commit, in milliseconds. Otherwise a suspended process would write one that is long past. */
const MOST_SEEN_AGO_MS = 5_000;

/** The dependencies of changes, besides the engine. */
interface Changing {
  /** The store's clock. */
  readonly now: () => Promise<number>;
  readonly ordinals: Ordinals;
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
  { now, ordinals, clock, onConflict, onCommitted }: Changing,
): Promise<readonly Answer[]> {
  let seenAtMs = clock.now();
  let hasRemoved = false;
  const compareAndSet: CompareAndSet<SeenRun> = {
    async see(asked) {
      seenAtMs = clock.now();
      const nowMs = await now();
      return engine.read((snapshot) => seeRuns(snapshot, asked, nowMs, ordinals));
    },
    async commit(commits) {
      const isLate = (): boolean => clock.now() - seenAtMs > MOST_SEEN_AGO_MS;
      const committed = await commitUnits(engine, commits.map(unitOf), isLate);
      const done = commits.filter((_, at) => committed[at] === true);
      onCommitted(
        done.flatMap(({ seen, decision }) => committedOf(seen.head, decision.after) ?? []),
      );
      hasRemoved ||= done.some(({ decision }) => decision.after === null);
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

function unitOf({ seen, decision }: Commit<SeenRun>): Unit {
  const { after } = decision;
  if (after !== null) return savingUnit(seen, decision, after);
  // A run that does not exist is removed as it is.
  return seen.head === null ? { checks: seen.checks, writes: [] } : removingUnit(seen, seen.head);
}

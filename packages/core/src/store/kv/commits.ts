import { inDoubt, RunEventsError } from "../../rules/errors.ts";
import { utf8Bytes } from "../../rules/json-text.ts";
import { eachAtMost } from "../../time/each-at-most.ts";
import type { KvEngine, KvPair } from "./engine.ts";

/** The number of commits of one call that are under way at once. */
const COMMITS_AT_ONCE = 8;

/** Checks and writes that are committed together, or not at all. */
export interface Unit {
  readonly checks: readonly KvPair[];
  readonly writes: readonly KvPair[];
}

/**
 * Commits each unit by itself and whole.
 * @param isLate whether it is too late for what is not sent yet, which then counts as in conflict
 * @returns whether each was committed
 * @throws RunEventsError `payload_too_large`, with nothing committed, if one of them is more than a commit may have
 */
export async function commitUnits(
  engine: KvEngine,
  units: readonly Unit[],
  isLate: () => boolean,
): Promise<readonly boolean[]> {
  for (const unit of units) checkSize(unit, engine.limits);
  const committed = units.map(() => false);
  const failures: unknown[] = [];
  await eachAtMost(units.entries(), COMMITS_AT_ONCE, async ([at, { checks, writes }]) => {
    try {
      committed[at] = !isLate() && (await engine.commit(checks, writes));
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw committed.includes(true) ? inDoubt(failures[0]) : failures[0];
  return committed;
}

function checkSize({ checks, writes }: Unit, { mostOps, mostBytes }: KvEngine["limits"]): void {
  const pairs = [...checks, ...writes];
  const bytes = pairs.reduce((sum, { key, value }) => sum + key.length + utf8Bytes(value ?? ""), 0);
  if (pairs.length <= mostOps && bytes <= mostBytes) return;
  throw new RunEventsError(
    "payload_too_large",
    `Expected a change of a run to take at most ${mostOps} keys and ${mostBytes} bytes, which is what this database commits at once, got ${pairs.length} keys and ${bytes} bytes. Append fewer or smaller events at once.`,
  );
}

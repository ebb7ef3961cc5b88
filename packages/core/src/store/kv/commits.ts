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

/** The numbers of keys and of bytes in a unit. */
function sizeOf({ checks, writes }: Unit): { readonly ops: number; readonly bytes: number } {
  const pairs = [...checks, ...writes];
  const bytes = pairs.reduce((sum, { key, value }) => sum + key.length + utf8Bytes(value ?? ""), 0);
  return { ops: pairs.length, bytes };
}

/** Units that are committed together, as if one after the other. */
class Batch {
  readonly #limits: KvEngine["limits"];
  readonly #checks = new Map<string, string | null>();
  readonly #writes = new Map<string, string | null>();
  #ops = 0;
  #bytes = 0;
  readonly members: number[] = [];

  constructor(limits: KvEngine["limits"]) {
    this.#limits = limits;
  }

  /** @returns `false`, and takes nothing, if it is too much or if a unit before it changes what this one checks */
  add(unit: Unit, index: number): boolean {
    const { ops, bytes } = sizeOf(unit);
    const isFull =
      this.#ops + ops > this.#limits.mostOps || this.#bytes + bytes > this.#limits.mostBytes;
    if (isFull || !unit.checks.every((check) => this.#agrees(check))) return false;
    for (const { key, value } of unit.checks) this.#checks.set(key, value);
    for (const { key, value } of unit.writes) this.#writes.set(key, value);
    this.#ops += ops;
    this.#bytes += bytes;
    this.members.push(index);
    return true;
  }

  #agrees({ key, value }: KvPair): boolean {
    if (this.#writes.has(key)) return false;
    return !this.#checks.has(key) || this.#checks.get(key) === value;
  }

  commit(engine: KvEngine): Promise<boolean> {
    return engine.commit(pairs(this.#checks), pairs(this.#writes));
  }
}

function pairs(of: ReadonlyMap<string, string | null>): readonly KvPair[] {
  return [...of].map(([key, value]) => ({ key, value }));
}

/** The settings of commits. */
interface Committing {
  /** Whether each unit has a commit of its own, as after a conflict, so that a conflict of one unit does not fail the others. */
  readonly alone?: boolean;
  /** Whether it is too late to send more. What was not sent then counts as in conflict. */
  readonly isLate?: () => boolean;
}

/**
 * Commits each unit by itself and whole, several of them in one commit where they fit.
 * @returns whether each was committed
 * @throws RunEventsError `payload_too_large`, with nothing committed, if one of them is more than a commit may have
 */
export async function commitUnits(
  engine: KvEngine,
  units: readonly Unit[],
  { alone = false, isLate = () => false }: Committing,
): Promise<readonly boolean[]> {
  const batches: Batch[] = [];
  units.forEach((unit, index) => {
    if (!alone && batches.at(-1)?.add(unit, index) === true) return;
    const batch = new Batch(engine.limits);
    if (!batch.add(unit, index)) throw tooLarge(unit, engine.limits);
    batches.push(batch);
  });
  const committed = units.map(() => false);
  const failures: unknown[] = [];
  await eachAtMost(batches, COMMITS_AT_ONCE, async (batch) => {
    try {
      const done = !isLate() && (await batch.commit(engine));
      for (const index of batch.members) committed[index] = done;
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw committed.includes(true) ? inDoubt(failures[0]) : failures[0];
  return committed;
}

function tooLarge(unit: Unit, { mostOps, mostBytes }: KvEngine["limits"]): RunEventsError {
  const { ops, bytes } = sizeOf(unit);
  return new RunEventsError(
    "payload_too_large",
    `Expected a change of a run to take at most ${mostOps} keys and ${mostBytes} bytes, which is what this database commits at once, got ${ops} keys and ${bytes} bytes. Append fewer or smaller events at once.`,
  );
}

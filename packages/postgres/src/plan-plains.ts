import { nameKey, type NewEvent, type Plain, type RunName } from "@tm/run-events-core/store";

/** An event of a plain append. The last one of an append with a key has the key, and the number of the append's events. */
interface PlainEvent extends NewEvent {
  readonly key: string | null;
  readonly keyEvents: number | null;
}

/** The plain appends and renewals of one run that land together, or not at all. */
export interface PlainRun extends RunName {
  readonly fence: number | null;
  readonly expectedSequence: number | null;
  readonly leaseMs: number | null;
  /** The last phase that the events start, as JSON text. */
  readonly phase: string | null;
  readonly events: readonly PlainEvent[];
  /** The plains, by their indexes in the call. */
  readonly indexes: readonly number[];
}

/** A run under way, with what decides whether one more may join. */
interface OpenRun {
  readonly first: Plain;
  readonly indexes: number[];
  readonly events: PlainEvent[];
  readonly keys: Set<string>;
  leaseMs: number | null;
  phase: string | null;
  isFull: boolean;
}

/**
 * Plans what one statement appends to each run: the first plain of the run, and those after it that the statement can judge with it. The
 * statement answers the phase after all of them, so only the first may start one. The rest is left to a change.
 * @returns the runs, by ascending names, so that statements of several processes lock the same run first
 */
export function planPlains(plains: readonly Plain[]): readonly PlainRun[] {
  const runs = new Map<string, OpenRun>();
  plains.forEach((plain, index) => {
    const name = nameKey(plain);
    const run = runs.get(name);
    if (run === undefined) {
      runs.set(name, add(opened(plain), plain, index));
    } else if (!run.isFull && joins(run, plain)) {
      add(run, plain, index);
    } else {
      run.isFull = true;
    }
  });
  return [...runs]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { first, leaseMs, phase, events, indexes }]) => {
      const { ownerId, runId, fence, expectedSequence } = first;
      return { ownerId, runId, fence, expectedSequence, leaseMs, phase, events, indexes };
    });
}

function opened(first: Plain): OpenRun {
  const lists = { indexes: [], events: [], keys: new Set<string>() };
  return { first, ...lists, leaseMs: null, phase: null, isFull: false };
}

function joins({ first, keys, leaseMs }: OpenRun, next: Plain): boolean {
  return (
    next.fence === first.fence &&
    next.expectedSequence === null &&
    (next.leaseMs === null || leaseMs === null || next.leaseMs === leaseMs) &&
    next.events.every(({ phase }) => phase === null) &&
    !(next.idempotencyKey !== null && keys.has(next.idempotencyKey))
  );
}

function add(run: OpenRun, plain: Plain, index: number): OpenRun {
  const { events, idempotencyKey, leaseMs } = plain;
  events.forEach((event, at) => {
    const key = at === events.length - 1 ? idempotencyKey : null;
    run.events.push({ ...event, key, keyEvents: key === null ? null : events.length });
  });
  run.indexes.push(index);
  if (idempotencyKey !== null) run.keys.add(idempotencyKey);
  run.leaseMs = leaseMs ?? run.leaseMs;
  run.phase = events.findLast(({ phase }) => phase !== null)?.phase ?? run.phase;
  return run;
}

import { nameKey } from "@tm/run-events-core/store";
import { assertKept } from "../assert.ts";
import type { NotificationCounter } from "../notification-counter.ts";
import type { ModelRun, StoreModel } from "../model/run-model.ts";

/** A subscription of a program. */
export interface Watch {
  /** The run's id, or the owner's name. */
  readonly name: string;
  readonly counter: NotificationCounter;
  /** The number of notifications when it was stopped; `null` before. */
  silentAt: number | null;
}

/** Stops a subscription, which from then on has to be silent. */
export function stop(watch: Watch): void {
  watch.counter.stop();
  watch.silentAt ??= watch.counter.notifyCount();
}

/** Makes a call, and fails unless each subscription to what it changed is notified. */
export async function notified(
  model: StoreModel,
  watches: readonly Watch[],
  call: () => Promise<void>,
): Promise<void> {
  const before = positionsOf(model);
  const counted = watches.map(({ counter }) => counter.notifyCount());
  await call();
  if (watches.length === 0) return;
  const changed = changedNames(before, positionsOf(model));
  for (const [index, { name, counter, silentAt }] of watches.entries()) {
    const count = counted[index];
    if (silentAt === null && count !== undefined) {
      await Promise.all((changed.get(name) ?? []).map((runId) => counter.past(count, runId)));
    }
    const late = silentAt === null ? 0 : counter.notifyCount() - silentAt;
    assertKept(
      "S13",
      late === 0,
      `a subscription that was stopped is silent, got ${late} notifications`,
    );
  }
}

type Positions = ReadonlyMap<string, ModelRun["record"]>;

function positionsOf({ runs }: StoreModel): Positions {
  return new Map([...runs].map(([name, { record }]) => [name, record]));
}

/** The subjects to notify, each of these runs: those that changed, came or went. */
function changedNames(before: Positions, after: Positions): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(name), after.get(name)];
    const run = now ?? old;
    const isSame = old?.ordinal === now?.ordinal && old?.lastSequence === now?.lastSequence;
    if (run === undefined || isSame) continue;
    names.set(name, [run.runId]);
    const owner = nameKey({ ownerId: run.ownerId });
    names.set(owner, [...(names.get(owner) ?? []), run.runId]);
  }
  return names;
}

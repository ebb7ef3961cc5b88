import { ownerName } from "@tm/run-events-core/store";
import { assertKept } from "../assert.ts";
import type { NotificationCounter } from "../notification-counter.ts";
import type { RealStore } from "./commands.ts";
import type { StoreModel } from "./run-model.ts";

/** A subscription of a program. */
export interface Watch {
  /** The run's id, or the owner's name. */
  readonly name: string;
  readonly counter: NotificationCounter;
  /** How often it had been notified when it was stopped; `null` before. */
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
  { watches }: Pick<RealStore, "watches">,
  call: () => Promise<void>,
): Promise<void> {
  const before = positionsOf(model);
  const counted = watches.map(({ counter }) => counter.notifyCount());
  await call();
  if (watches.length === 0) return;
  const changed = changedNames(before, positionsOf(model));
  for (const [index, { name, counter, silentAt }] of watches.entries()) {
    const count = counted[index];
    if (silentAt === null && count !== undefined && changed.has(name)) await counter.past(count);
    const late = silentAt === null ? 0 : counter.notifyCount() - silentAt;
    assertKept(
      "S14",
      late === 0,
      `a subscription that was stopped is silent, got ${late} notifications`,
    );
  }
}

type Position = Readonly<Record<"ordinal" | "lastSequence", number>> & { readonly ownerId: string };

function positionsOf({ runs }: StoreModel): ReadonlyMap<string, Position> {
  return new Map([...runs].map(([runId, { record }]) => [runId, record]));
}

/** What subscriptions are to: runs that changed, and the owners of those that came or went. */
function changedNames(
  before: ReadonlyMap<string, Position>,
  after: ReadonlyMap<string, Position>,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const runId of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(runId), after.get(runId)];
    const isSame = old?.ordinal === now?.ordinal;
    if (!isSame || old?.lastSequence !== now?.lastSequence) names.add(runId);
    if (isSame) continue;
    for (const run of [old, now]) if (run !== undefined) names.add(ownerName(run.ownerId));
  }
  return names;
}

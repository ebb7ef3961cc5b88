import type { Subject } from "@tm/run-events-core/store";
import { assertKept } from "../assert.ts";
import type { NotificationCounter } from "../notification-counter.ts";
import type { RealStore } from "./commands.ts";
import type { ModelRun, StoreModel } from "./run-model.ts";

/** A subscription of a program. */
export interface Watch {
  readonly subject: Subject;
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
  const before = recordsOf(model);
  const counted = watches.map(({ counter }) => counter.notifyCount());
  await call();
  if (watches.length === 0) return;
  const changed = changedRuns(before, recordsOf(model));
  for (const [index, { subject, counter, silentAt }] of watches.entries()) {
    const count = counted[index];
    const isOwed = silentAt === null && changed.some((run) => isOf(subject, run));
    if (isOwed && count !== undefined) await counter.past(count);
    const late = silentAt === null ? 0 : counter.notifyCount() - silentAt;
    assertKept(
      "S14",
      late === 0,
      `a subscription that was stopped is silent, got ${late} notifications`,
    );
  }
}

type Records = ReadonlyMap<string, ModelRun["record"]>;

function recordsOf({ runs }: StoreModel): Records {
  return new Map([...runs].map(([runId, { record }]) => [runId, record]));
}

/** The runs that came, went or got events: as they were, and as they are. */
function changedRuns(before: Records, after: Records): readonly ModelRun["record"][] {
  const runIds = new Set([...before.keys(), ...after.keys()]);
  return [...runIds].flatMap((runId) => {
    const [old, now] = [before.get(runId), after.get(runId)];
    const isSame = old?.ordinal === now?.ordinal && old?.lastSequence === now?.lastSequence;
    return isSame ? [] : [old, now].filter((run) => run !== undefined);
  });
}

function isOf(subject: Subject, { runId, ownerId }: ModelRun["record"]): boolean {
  return typeof subject === "string" ? subject === runId : subject.ownerId === ownerId;
}

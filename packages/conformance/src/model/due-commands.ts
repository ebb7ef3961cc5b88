import { dueKindOf, type RunName } from "@tm/run-events-core/store";
import type { DueKind, DueLimit } from "../core-calls.ts";
import type { KitStore } from "../kit-store.ts";
import { assert } from "../assert.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";
import { type Age, ageMs, type DueRun, judgeDue } from "./age.ts";
import { LONG_MS } from "../lease.ts";
import { type Command, command, own, ownRun, type RealStore } from "./commands.ts";
import { judgeEndDue } from "./judge-due.ts";
import { forgetRun, runOf, type StoreModel } from "./run-model.ts";

/** The runs that are asked for, and their number. */
export interface AgeInput {
  readonly age: Age;
  /** The run whose age it is. */
  readonly runId: string;
  /** The most runs of an answer. */
  readonly limit: number;
}

/** Lists the runs that wait for one thing. */
export function listDueCommand(input: AgeInput & { readonly due: DueKind }): Command {
  return command("listDue", input, async (model, real) => {
    const { due, limit } = input;
    const runs = await dueEntries(model, real, due);
    await askDue(real, input, runs, `the runs that are due as ${due}`, (store, forMs) =>
      store.listDue({ due, forMs, limit }),
    );
  });
}

/** Ends a run if it has been due for some time. */
export function endDueCommand(
  input: RunName & { readonly kind: DueLimit["kind"]; readonly age: "any" | "long" },
): Command {
  return command("endDue", input, async (model, real) => {
    const name = ownRun(real, input);
    const limit = { kind: input.kind, limitMs: input.age === "long" ? LONG_MS : 0 };
    judgeEndDue(model, name, limit, await real.next().endDue(name, limit));
  });
}

/** Removes the runs that have been finished for some time, all of them in as many calls as it takes. */
export function purgeCommand(input: AgeInput): Command {
  return command("purge", input, async (model, real) => {
    const runs = await dueEntries(model, real, "finished");
    const all = { ...input, limit: Number.POSITIVE_INFINITY };
    const gone = await askDue(real, all, runs, "the runs that were purged", (store, askedMs) =>
      purgeAll(store, askedMs, input.limit),
    );
    for (const name of gone) {
      if (runOf(model, name) !== undefined) forgetRun(model, name);
    }
  });
}

/** The runs of the program that wait for one thing, each with the time of its entry in the index, which is never later than it is due. */
async function dueEntries(
  model: StoreModel,
  real: RealStore,
  due: DueKind,
): Promise<readonly DueRun[]> {
  const names = [...model.runs.values()].map(({ record }) => record);
  const queries = names.map(({ ownerId, runId }) => {
    return { ownerId, runId, since: 0, limit: 0, maxBytes: 1 };
  });
  const heads = queries.length === 0 ? [] : await real.next().inner.read(queries);
  return heads.flatMap((answer) => {
    if (answer === null || dueKindOf(answer.head) !== due) return [];
    const { runId, ownerId, dueMs, leaseExpiresAtMs, updatedAtMs } = answer.head;
    const latestMs = { leased: leaseExpiresAtMs, finished: updatedAtMs }[due as "leased"];
    assert(
      dueMs <= (latestMs ?? Number.POSITIVE_INFINITY),
      `the entry of ${runId} in the index of due runs is not later than it is due`,
    );
    return [{ runId, ownerId, atMs: dueMs }];
  });
}

/** Waits until the store's clock has moved, so that what comes next has a time of its own. */
export function tickCommand(): Command {
  return command("tick", null, async (_model, real) => {
    await untilStoreTime(real.next(), await storeNow(real.next()));
  });
}

/** Asks whether the store can write, and for its time. */
export function probeCommand(): Command {
  return command("probe", null, async (_model, real) => {
    // Both times come from one store object: where an engine has no clock, two objects differ by some milliseconds.
    const store = real.next();
    const beforeMs = await storeNow(store);
    const probedMs = await store.probe();
    const afterMs = await storeNow(store);
    assert(
      probedMs >= beforeMs && probedMs <= afterMs,
      `a probe answers a time from ${beforeMs} to ${afterMs}, got ${probedMs}`,
    );
  });
}

/** Removes runs until none is left. @returns them, in the order in which they were removed */
async function purgeAll(
  store: KitStore,
  finishedForMs: number,
  limit: number,
): Promise<readonly RunName[]> {
  const gone: RunName[] = [];
  for (;;) {
    const batch = await store.purge({ finishedForMs, limit });
    assert(batch.length <= limit, `a purge removes ${limit} runs at the most, got ${batch.length}`);
    if (batch.length === 0) return gone;
    gone.push(...batch);
  }
}

/** Asks for due runs, and compares the answer. @returns it */
async function askDue(
  real: RealStore,
  { age, runId, limit }: AgeInput,
  runs: readonly DueRun[],
  what: string,
  ask: (store: KitStore, askedMs: number) => Promise<readonly RunName[]>,
): Promise<readonly RunName[]> {
  const exact = runs.find((run) => run.runId === own(real, runId))?.atMs ?? null;
  const askedMs = await ageMs(real, age, exact);
  const beforeMs = await clockFor(real, age);
  const names = await ask(real.next(), askedMs);
  const betweenMs = [beforeMs, await clockFor(real, age)] as const;
  judgeDue(real, runs, { what, names, askedMs, limit, betweenMs });
  return names;
}

/** The store's clock, unless the age says enough: nothing is due for as long. */
async function clockFor(real: RealStore, age: Age): Promise<number> {
  return age === "long" ? 0 : storeNow(real.next());
}

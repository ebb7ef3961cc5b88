import { isTerminal } from "@tm/run-events-core";
import type { LiveStatus } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { assert } from "../assert.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";
import { type Age, ageMs, type DueRun, judgeDue } from "./age.ts";
import { type Command, command, idleSinceOf, own, type RealStore } from "./commands.ts";
import { judgeHead } from "./judge.ts";
import { forgetRun } from "./run-model.ts";

/** Which runs are asked for, and how many. */
export interface AgeInput {
  readonly age: Age;
  /** The run whose age it is. */
  readonly runId: string;
  /** How many an answer has at most. */
  readonly limit: number;
}

/** Lists the runs whose lease has expired. */
export function listExpiredCommand(input: AgeInput): Command {
  return command("listExpired", input, async (model, real) => {
    const runs = [...model.runs.values()].map(({ record, lease }) => ({
      runId: record.runId,
      atMs: lease.hasExpired ? lease.expiresAtMs : Number.POSITIVE_INFINITY,
    }));
    await askDue(real, input, runs, "the expired runs", (store, graceMs) =>
      store.listExpired({ graceMs, limit: input.limit }),
    );
  });
}

/** Lists the runs of a status that no worker works on. */
export function listIdleCommand(input: AgeInput & { readonly runStatus: LiveStatus }): Command {
  return command("listIdle", input, async (model, real) => {
    const { runStatus } = input;
    const runs: DueRun[] = [];
    for (const [runId, { record, lease }] of model.runs) {
      if (record.runStatus !== runStatus || lease.expiresAtMs !== null) continue;
      runs.push({ runId, atMs: await idleSinceOf(model, real, runId) });
    }
    await askDue(real, input, runs, `the idle runs that are ${runStatus}`, (store, idleForMs) =>
      store.listIdle({ runStatus, idleForMs, limit: input.limit }),
    );
  });
}

/** Removes the runs that have been finished for some time, all of them in as many calls as it takes. */
export function purgeCommand(input: AgeInput): Command {
  return command("purge", input, async (model, real) => {
    const runs: DueRun[] = [];
    for (const [runId, { record }] of model.runs) {
      if (!isTerminal(record.runStatus)) continue;
      const run = await real.next().getRun(runId);
      judgeHead(model, runId, run);
      runs.push({ runId, atMs: run?.finishedAtMs ?? null });
    }
    const all = { ...input, limit: Number.POSITIVE_INFINITY };
    const gone = await askDue(real, all, runs, "the runs that were purged", (store, askedMs) =>
      purgeAll(store, askedMs, input.limit),
    );
    for (const { runId } of runs) if (gone.includes(runId)) forgetRun(model, runId);
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
    const beforeMs = await storeNow(real.next());
    const probedMs = await real.next().probe();
    const afterMs = await storeNow(real.next());
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
): Promise<readonly string[]> {
  const gone: string[] = [];
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
  ask: (store: KitStore, askedMs: number) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const exact = runs.find((run) => run.runId === own(real, runId))?.atMs ?? null;
  const askedMs = await ageMs(real, age, exact);
  const beforeMs = await clockFor(real, age);
  const runIds = await ask(real.next(), askedMs);
  const betweenMs = [beforeMs, await clockFor(real, age)] as const;
  judgeDue(real, runs, { what, runIds, askedMs, limit, betweenMs });
  return runIds;
}

/** The store's clock, unless the age says enough: of any age all are due that ever will be, and none of an age that is long. */
async function clockFor(real: RealStore, age: Age): Promise<number> {
  if (age === "any") return Number.MAX_SAFE_INTEGER;
  return age === "long" ? 0 : storeNow(real.next());
}

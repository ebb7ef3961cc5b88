import { RunEventsError } from "@tm/run-events-core";
import { append, events, land } from "../append-request.ts";
import { assert, assertKept, assertRefused } from "../assert.ts";
import { HASTY, kitStore } from "../kit-store.ts";
import { createRun } from "../read-log.ts";
import { requireOrder } from "../races/explain.ts";
import type { RaceOperation } from "../races/operation.ts";
import { RaceClient } from "../races/race-client.ts";
import type { RaceAppend, RaceStep } from "../races/race.ts";
import { about } from "../races/steps.ts";
import { CANCEL, plainly } from "../races/themes.ts";
import { settledNow } from "../settled.ts";
import type { Trial, TrialCase } from "../trial.ts";
import { within } from "../within.ts";

const appending = (runId: string, more: Partial<RaceAppend> = {}): RaceStep => ({
  call: "append",
  requests: [{ runId, eventTypes: ["TOKEN"], key: null, expected: null, by: "anybody", ...more }],
});
const claiming = (runId: string, claimKey: string | null): RaceStep => ({
  call: "claim",
  runId,
  claimKey,
  length: "long",
});
const ending = (runId: string): RaceStep => about({ runId }, CANCEL);
const failing = (runId: string): RaceStep =>
  appending(runId, { eventTypes: ["RUN_FAILED"], by: "owner" });

/** Calls while writes are refused. Those that write have a run of their own; others write to the other runs meanwhile. */
const CALLS: Readonly<Record<string, RaceStep>> = {
  keyed: appending("keyed", { key: "key" }),
  keyless: appending("keyless"),
  decided: appending("decided", { by: "owner" }),
  created: plainly("created"),
  claimed: claiming("claimed", null),
  "claimed-under-a-key": claiming("claimed-under-a-key", "key"),
  renewed: { call: "renew", runId: "renewed", length: "long" },
  released: { call: "release", runId: "released" },
  removed: { call: "deleteRun", runId: "removed" },
  reaped: { call: "endDue", runId: "reaped", kind: "queued", age: "any" },
  "moved-1": appending("moved-1", { key: "key" }),
  "moved-2": appending("moved-2", { expected: "seen" }),
  "moved-3": { call: "getRun", runId: "moved-3" },
  "moved-4": { call: "read", queries: [{ runId: "moved-4", from: "start", limit: 10 }] },
  "ended-1": appending("ended-1"),
  "ended-2": { call: "deleteRun", runId: "ended-2" },
  "held-1": claiming("held-1", null),
  "gone-1": { call: "getRun", runId: "gone-1" },
  "gone-2": { call: "deleteRun", runId: "gone-2" },
  "gone-3": plainly("gone-3"),
  "new-1": { call: "getRun", runId: "new-1" },
  "new-2": claiming("new-2", null),
  list: { call: "listRuns", topic: null, runStatus: "live" },
  // No run has failed before.
  "list-of-failed": { call: "listRuns", topic: null, runStatus: "failed" },
};
const RUNS = Object.keys(CALLS);

/** Whether a run's id begins with one of these words. */
const isOf = (runId: string, ...words: readonly string[]): boolean =>
  words.some((word) => runId.startsWith(word));

/** The steps that prepare each run. */
const BEFORE: readonly RaceStep[] = RUNS.flatMap((runId) => {
  if (isOf(runId, "created", "new")) return [];
  if (isOf(runId, "keyed", "moved", "ended", "held")) return [plainly(runId), appending(runId)];
  if (isOf(runId, "renewed", "released")) return [plainly(runId), claiming(runId, null)];
  return isOf(runId, "removed", "gone") ? [plainly(runId), ending(runId)] : [plainly(runId)];
});
/** The steps of other clients meanwhile. */
const MEANWHILE: readonly RaceStep[] = RUNS.flatMap((runId): readonly RaceStep[] => {
  if (isOf(runId, "moved")) return [appending(runId, { key: "key" })];
  if (isOf(runId, "ended")) return [failing(runId)];
  if (isOf(runId, "held")) return [claiming(runId, null)];
  if (isOf(runId, "gone")) return [{ call: "deleteRun", runId }];
  return isOf(runId, "new") ? [plainly(runId)] : [];
});
const READS: readonly RaceStep[] = RUNS.map((runId) => ({
  call: "read",
  queries: [{ runId, from: "start", limit: 10 }],
}));

/** Cases of S7 and S31 in `STORE.md`: a store that cannot write for a while. */
export const refusals: readonly TrialCase[] = [
  {
    name: "S31 a store that cannot write refuses appends and probes with a reason, and takes them when it can write again",
    needs: "refuseWrites",
    async run({ store, beneath }) {
      await createRun(store, "run");
      await land(store, "run", events(1));
      await store.probe();
      const restore = await beneath.refuseWrites(store.inner);
      const hasty = kitStore(store.inner, HASTY);
      for (const [name, call] of [
        ["a probe", () => store.probe()],
        ["an append", () => append(hasty, "run", events(1), { idempotencyKey: "key" })],
      ] as const) {
        const refused = (): Promise<unknown> =>
          within<unknown>(0, call(), `the refusal of ${name}`);
        const error = await assertRefused(refused, "store_unavailable", name);
        assert(
          error.cause instanceof Error,
          `the refusal of ${name} has the driver's error as its cause`,
        );
      }
      await restore();
      await store.probe();
      await land(store, "run", events(1));
    },
  },
  {
    name: "S7 while writes are refused, a call is refused, waits, or is answered by the current state, and lands once at most",
    needs: "refuseWrites",
    run: callWhileRefused,
  },
];

async function callWhileRefused(trial: Trial): Promise<void> {
  const [store, other] = await trial.stores();
  let instant = 0;
  const operations: RaceOperation[] = [];
  const now = (): number => (instant += 1);
  const place = { prefix: "", runIds: RUNS, now, operations, mayRepeat: false };
  const starter = new RaceClient("0", store, place);
  await starter.run(BEFORE);
  const restore = await trial.beneath.refuseWrites(store.inner);
  // A store object that is alone with its data cannot miss anything.
  if (other !== undefined) await new RaceClient("other", other, place, starter.seen).run(MEANWHILE);
  // Each with a queue of its own: core decides those to one run in one go.
  const calls = Object.entries(CALLS).map(([name, step]) =>
    new RaceClient(name, kitStore(store.inner, HASTY), place, starter.seen)
      .step(step)
      .catch((error: unknown) => assertUnavailable(error, name)),
  );
  await settledNow(calls);
  await restore();
  await within(0, Promise.all(calls), "all calls to be settled when writes pass again");
  const inDoubt = operations.filter(({ endedAt }) => endedAt === Infinity);
  for (const asked of new Set(inDoubt.map((one) => one.asked))) {
    if (asked.isKeyed) await starter.make(asked);
  }
  for (const one of await trial.stores()) await new RaceClient("end", one, place).run(READS);
  requireOrder("S7", operations);
}

function assertUnavailable(error: unknown, what: string): void {
  const isRefusal = error instanceof RunEventsError && error.code === "store_unavailable";
  assertKept("S20", isRefusal, `${what} is refused with store_unavailable, got ${String(error)}`);
  assertKept("S20", error.cause instanceof Error, `the refusal of ${what} has a cause`);
}

import type { Change } from "@tm/run-events-core/store";
import { queryOf } from "@tm/run-events-test-servers/requests";
import { describe, expect, it } from "vitest";
import type { AppendOutcome } from "../../core/src/rules/append.ts";
import { HEAD } from "./heads.ts";
import { PATIENT } from "./patient.ts";
import {
  appending,
  type Hooks,
  openRecorded,
  OPTIMISTIC,
  RUN_IDS,
  stepsOf,
} from "./recorded-changes.ts";
import { SEE } from "./recorded-pool.ts";
import { begin, countWaiting, useServer } from "./stores.ts";

const server = useServer();

describe("a decision that is too old", () => {
  /** Makes what the store sees for the next change look as if it had been seen so long ago. */
  function ageNext(hooks: Hooks, ms: number): void {
    let left = 1;
    hooks.onAnswer = ({ text }, rows) => {
      if (!text.includes(SEE) || left-- <= 0) return;
      for (const row of rows) row["nowMs"] = Number(row["nowMs"]) - ms;
    };
  }

  it.each([
    ["of one run", ["a"]],
    ["of several runs", RUN_IDS],
    ["of a run that does not exist yet", ["new"]],
  ])("S24: a decision %s is made again if it was made more than 5 s ago", async (_, runIds) => {
    const { store, pool, hooks } = await openRecorded(server().url);
    const changes = runIds.map((runId): Change<AppendOutcome | null> => {
      if (runId !== "new") return appending(runId, runId);
      const made = { runId, revision: 1, runStatus: "queued", metadata: "{}" } as const;
      const extra = '{"createdAtMs":1}';
      return {
        ownerId: "ada",
        runId,
        decide: ({ head, nowMs, ordinal }) =>
          head === null
            ? {
                answer: null,
                after: { ...HEAD, ...made, extra, ordinal, updatedAtMs: nowMs, dueMs: nowMs },
              }
            : { answer: null },
      };
    });
    const from = pool.sent.length;
    ageNext(hooks, 5_001);
    const startedAt = await store.probe();
    await store.inner.change(changes);
    expect(stepsOf(pool, from)).toEqual([...OPTIMISTIC, ...OPTIMISTIC]);
    const pages = await store.read(runIds.map((runId) => queryOf(runId)));
    for (const page of pages) expect(page?.run.updatedAtMs).toBeGreaterThanOrEqual(startedAt);
    const again = pool.sent.length;
    ageNext(hooks, 4_000);
    await store.inner.change(RUN_IDS.map((runId) => appending(runId, "later")));
    expect(stepsOf(pool, again)).toEqual(OPTIMISTIC);
  });

  it("S24: it is made again if it became too old while it waited for its run", async () => {
    const { schema, store, pool, hooks, admin } = await openRecorded(server().url);
    const holder = await begin(admin, `SELECT FROM ${schema}.runs FOR UPDATE`);
    const from = pool.sent.length;
    ageNext(hooks, 4_000);
    const seenBefore = await store.probe();
    const changed = store.inner.change([appending("a", 1)]);
    await expect.poll(() => countWaiting(admin), PATIENT).toBe(1);
    await expect.poll(() => store.probe(), PATIENT).toBeGreaterThan(seenBefore + 1_500);
    await holder.query("COMMIT");
    await changed;
    expect(stepsOf(pool, from)).toEqual([...OPTIMISTIC, ...OPTIMISTIC]);
  });
});

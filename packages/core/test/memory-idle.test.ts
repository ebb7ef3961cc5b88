import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { appendRequest, newEvent } from "./run-record.ts";

const HOUR_MS = 3_600_000;
const TOKEN = [newEvent("TOKEN")];

interface Clock {
  nowMs: number;
}

async function openWith(count: number): Promise<{ store: RunEventStore; clock: Clock }> {
  const clock = { nowMs: 1_000 };
  const store = createMemoryStore({ now: () => clock.nowMs });
  for (let at = 0; at < count; at++) {
    await store.createRun({ runId: `run-${at}`, ownerId: "ada", metadata: "null" });
    await store.append([appendRequest(TOKEN, { runId: `run-${at}` })]);
  }
  return { store, clock };
}

describe("listIdle of a row store", () => {
  it("S28: one call looks at a bounded number of runs, and calls again find the one that is behind them", async () => {
    const { store, clock } = await openWith(120);
    clock.nowMs += HOUR_MS;
    // All but the last one have had an event, which the index does not know.
    for (let at = 0; at < 119; at++) {
      await store.append([appendRequest(TOKEN, { runId: `run-${at}` })]);
    }
    const query = { runStatus: "running", idleForMs: HOUR_MS, limit: 1 } as const;
    const found: (readonly string[])[] = [];
    for (let call = 0; call < 3; call++) found.push(await store.listIdle(query));
    expect(found).toStrictEqual([[], [], ["run-119"]]);
  });

  it("S28: a run that is listed keeps its place until it ends, and a longer limit than all runs lists them all", async () => {
    const { store, clock } = await openWith(3);
    clock.nowMs += HOUR_MS;
    const query = { runStatus: "running", idleForMs: HOUR_MS, limit: 9 } as const;
    const all = ["run-0", "run-1", "run-2"];
    expect(await store.listIdle(query)).toStrictEqual(all);
    expect(await store.listIdle(query)).toStrictEqual(all);
    expect(await store.listIdle({ ...query, idleForMs: HOUR_MS + 1 })).toStrictEqual([]);
    expect(await store.listIdle({ ...query, limit: 2 })).toHaveLength(2);
    const end = { appender: { by: "sweeper", runStatus: "running", idleForMs: HOUR_MS } } as const;
    const ends = all.map((runId) =>
      appendRequest([newEvent("RUN_FAILED")], { runId, change: "failed", ...end }),
    );
    expect((await store.append(ends)).map(({ outcome }) => outcome)).toStrictEqual([
      "appended",
      "appended",
      "appended",
    ]);
    expect(await store.listIdle(query)).toStrictEqual([]);
  });
});

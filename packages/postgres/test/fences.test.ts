import type { PostgresStore } from "../src/index.ts";
import { expect, describe, it } from "vitest";
import { PATIENT } from "./patient.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { begin, countWaiting, newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

describe("a fence", () => {
  it.each([
    ["alone", ["a"]],
    ["in a group", ["a", "b"]],
  ])("S22: a fence that is taken while an append waits refuses it, %s", async (_, runIds) => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    for (const runId of runIds) await store.createRun(createOf(runId));
    const fences = new Map<string, number>();
    for (const runId of runIds) fences.set(runId, (await claimed(store, claimOf(runId))).fence);
    const next = await begin(
      pool,
      `UPDATE ${schema}.runs SET fence = fence + 1 WHERE run_id = 'a'`,
    );
    const appended = store.append(
      runIds.map((runId) =>
        appendOf(runId, runId, { appender: { by: "worker", fence: fences.get(runId) ?? 0 } }),
      ),
    );
    await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
    await next.query("COMMIT");
    const outcomes = (await appended).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["fenced", ...runIds.slice(1).map(() => "appended")]);
    expect(await readValues(store, "a")).toEqual([]);
  });

  it("S22: an append of a worker never lands after another worker has claimed the run", async () => {
    const schema = newSchema();
    const stores = await Promise.all(
      oneTo(3).map(() => openStore(openPool(server().url), { schema })),
    );
    const [store] = stores as [PostgresStore];
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    const appending: Promise<number>[] = [];
    const claims: number[] = [];
    while (claims.length < 20) {
      const worker = stores[claims.length % stores.length] ?? store;
      // A short lease, so that the next worker gets the run while this one appends.
      const claim = await worker.claim(claimOf("a", 1));
      if (claim.outcome !== "granted") continue;
      const { fence } = claim.run;
      expect(fence).toBeGreaterThan(claims.at(-1) ?? 0);
      claims.push(fence);
      appending.push(appendUnder(worker, fence));
    }
    await store.append([endOf("a", { appender: { by: "owner" } })]);
    const landed = await Promise.all(appending);
    const fences = (await readValues(store, "a")).slice(0, -1);
    expect(fences).toEqual(fences.toSorted((a, b) => Number(a) - Number(b)));
    expect(landed).toEqual(claims.map((fence) => fences.filter((one) => one === fence).length));
    const fence = (claims.at(-1) ?? 0) + 1;
    expect(await store.getRun("a")).toMatchObject({ fence, leaseExpiresAtMs: null });
  });

  it("S22: each request of a group is judged by its own appender, in order", async () => {
    const store = await openStore(openPool(server().url));
    for (const runId of ["a", "b", "c"]) await store.createRun(createOf(runId));
    const { fence: first } = await claimed(store, claimOf("a"));
    const { fence: third } = await claimed(store, claimOf("c"));
    const worker = { appender: { by: "worker", fence: first } } as const;
    const workerOfC = { appender: { by: "worker", fence: third } } as const;
    const owner = { appender: { by: "owner" } } as const;
    const outcomes = await store.append([
      appendOf("a", 1, worker),
      appendOf("b", 1),
      appendOf("a", 2),
      appendOf("a", 3, worker),
      appendOf("b", 2, owner),
      appendOf("b", 3, owner),
      appendOf("c", 1, workerOfC),
      endOf("c", owner),
      appendOf("c", 2, workerOfC),
      appendOf("a", 4, { appender: { by: "reaper", graceMs: 0 } }),
      appendOf("a", 5, { appender: { by: "worker", fence: first + 1 } }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      "appended",
      "appended",
      "fenced",
      "appended",
      "appended",
      "appended",
      "appended",
      "appended",
      "finished",
      "fenced",
      "fenced",
    ]);
    expect(await Promise.all(["a", "b", "c"].map((runId) => store.getRun(runId)))).toMatchObject([
      { fence: first, leaseExpiresAtMs: expect.any(Number) },
      { fence: 2, leaseExpiresAtMs: null },
      { fence: third + 1, leaseExpiresAtMs: null, runStatus: "completed" },
    ]);
  });

  it("S12: an append to a claimed run rewrites its row inside the page, with any phase", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    const { fence } = await claimed(store, claimOf("a"));
    const append = { runId: "a", fence, events: [{ eventType: "TOKEN" }] };
    const started = { eventType: "PHASE_STARTED", payload: { phase: "draft" } };
    const client = await begin(pool, "SELECT");
    // Its status changes with the first one, once.
    await store.appendInTransaction({ client, ...append });
    const count = async (): Promise<readonly number[]> => {
      const { rows } = await client.query<{ readonly updated: number; readonly hot: number }>(
        `SELECT pg_stat_get_xact_tuples_updated(r)::int AS updated,
           pg_stat_get_xact_tuples_hot_updated(r)::int AS hot
         FROM (SELECT '${schema}.runs'::regclass) t (r)`,
      );
      return rows.flatMap(({ updated, hot }) => [updated, hot]);
    };
    const before = await count();
    await store.appendInTransaction({ client, ...append });
    await store.appendInTransaction({ client, ...append, events: [started] });
    expect(await count()).toEqual(before.map((number) => number + 2));
    await client.query("COMMIT");
  });
});

/** Appends the fence until that is refused. Resolves with how often it landed. */
async function appendUnder(store: PostgresStore, fence: number): Promise<number> {
  for (let landed = 0; ; landed++) {
    const appender = { by: "worker", fence } as const;
    // Alone and in a group, which use different statements.
    const requests = [appendOf("a", fence, { appender }), appendOf("b", fence)];
    const [outcome] = await store.append(landed % 2 === 0 ? requests : requests.slice(0, 1));
    if (outcome?.outcome !== "appended") return landed;
  }
}

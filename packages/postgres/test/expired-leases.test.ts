import { createRunLog } from "@tm/run-events-core/wire";
import { describe, expect, it } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { PATIENT } from "./patient.ts";
import { claimed, claimOf, createOf, endOf, oneTo } from "@tm/run-events-test-servers/requests";
import { begin, newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

describe("expired leases", () => {
  it("S23: expired leases are listed by their end, and their runs ended once, by any number of reapers", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const [store, other] = [await openStore(pool, { schema }), await openStore(pool, { schema })];
    const runIds = oneTo(12).map((number) => `run-${number}`);
    const fences = new Map<string, number>();
    for (const [at, runId] of runIds.entries()) {
      await store.createRun(createOf(runId));
      fences.set(runId, (await claimed(store, claimOf(runId, 3_600_000 - at))).fence);
    }
    expect(await store.listExpired({ graceMs: 0, limit: 100 })).toEqual([]);
    // As if two hours had passed.
    await pool.query(
      `UPDATE ${schema}.runs SET lease_expires_at_ms = lease_expires_at_ms - 7200000`,
    );
    const { fence } = await claimed(store, claimOf("run-12"));
    expect(fence).toBeGreaterThan(fences.get("run-12") ?? Infinity);
    const grace = { graceMs: 60_000 };
    expect(await store.listExpired({ graceMs: 7_200_000, limit: 100 })).toEqual([]);
    // A run that was claimed later may have the earlier end.
    const ends = (
      await pool.query<{ readonly run_id: string }>(
        `SELECT run_id FROM ${schema}.runs WHERE run_id <> 'run-12' ORDER BY lease_expires_at_ms`,
      )
    ).rows.map(({ run_id }) => run_id);
    const listed = await store.listExpired({ ...grace, limit: 100 });
    expect(listed.toSorted()).toEqual(ends.toSorted());
    expect(await store.listExpired({ ...grace, limit: 3 })).toEqual(listed.slice(0, 3));
    const reap = async (reaper: PostgresStore): Promise<readonly string[]> => {
      const outcomes = await reaper.append(
        [...listed, "run-12"].map((runId) =>
          endOf(runId, { appender: { by: "reaper", ...grace } }),
        ),
      );
      return listed.filter((_, at) => outcomes[at]?.outcome === "appended");
    };
    const reaped = (await Promise.all([reap(store), reap(other)])).flat();
    expect(reaped.toSorted()).toEqual(listed.toSorted());
    expect(await store.listExpired({ graceMs: 0, limit: 100 })).toEqual([]);
    expect(await store.getRun("run-12")).toMatchObject({ fence, runStatus: "queued" });
    expect(await store.getRun("run-1")).toMatchObject({
      fence: (fences.get("run-1") ?? 0) + 1,
      lastSequence: 1,
    });
  });

  it("W33: a run that a transaction holds does not stop the others from being reaped", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    for (const runId of ["held", "left"]) {
      await store.createRun(createOf(runId));
      await claimed(store, claimOf(runId, 1));
    }
    await expect
      .poll(() => store.listExpired({ graceMs: 0, limit: 100 }), PATIENT)
      .toEqual(["held", "left"]);
    const log = createRunLog({ store });
    const client = await begin(
      pool,
      `UPDATE ${schema}.runs SET updated_at_ms = updated_at_ms WHERE run_id = 'held'`,
    );
    expect(await log.reap({ graceMs: 0 })).toEqual(["left"]);
    await client.query("COMMIT");
    expect(await log.reap({ graceMs: 0 })).toEqual(["held"]);
  });
});

import { createOf, endOf, queryOf } from "@tm/run-events-test-servers/requests";
import { describe, expect, it } from "vitest";
import { type Opened, openRecorded, removing, stepsOf } from "./recorded-changes.ts";
import { COMMIT } from "./recorded-pool.ts";
import { useServer } from "./stores.ts";

const server = useServer();

describe("removals of many events", () => {
  const SIZES = [15_000, 4_999, 4_999, 4_999, 4_999, 4_999];
  const runIds = SIZES.map((_, at) => `run-${at}`);

  async function openLarge(): Promise<Opened> {
    const opened = await openRecorded(server().url);
    const { schema, store, admin } = opened;
    for (const runId of runIds) await store.createRun(createOf(runId));
    await store.append(runIds.map((runId) => endOf(runId)));
    await admin.query(
      `UPDATE ${schema}.runs r SET last_sequence = size FROM unnest($1::text[], $2::int[]) AS s (id, size) WHERE r.run_id = s.id`,
      [runIds, SIZES],
    );
    await admin.query(
      `INSERT INTO ${schema}.events (run_key, sequence, event_type, payload, created_at_ms)
       SELECT run_key, n, 'TOKEN', '1', 0 FROM ${schema}.runs, generate_series(2, last_sequence) n`,
    );
    return opened;
  }

  async function countEvents({ admin, schema }: Opened): Promise<number> {
    const { rows } = await admin.query(`SELECT count(*)::int AS count FROM ${schema}.events`);
    return rows[0].count as number;
  }

  it("S12, S17: a statement ends with the run that reaches 10,000 events, since others wait for it", async () => {
    const opened = await openLarge();
    const { store, pool } = opened;
    const from = pool.sent.length;
    await store.inner.change(runIds.map(removing));
    expect(stepsOf(pool, from)).toEqual(["see", "commit", "commit", "commit"]);
    expect(await countEvents(opened)).toBe(0);
    expect((await store.read(runIds.map((runId) => queryOf(runId)))).flat()).toEqual(
      runIds.map(() => null),
    );
  });

  it("S7: a failure after the first statement has removed runs is in doubt, and one of the first is not", async () => {
    const opened = await openLarge();
    const { store, hooks } = opened;
    for (const [allowed, ambiguous] of [
      [0, false],
      [1, true],
    ] as const) {
      let left: number = allowed;
      hooks.beforeSend = ({ text }) => {
        if (text.includes(COMMIT) && left-- <= 0)
          throw Object.assign(new Error("cancelled"), { code: "57014" });
      };
      const failed = store.inner.change(runIds.map(removing));
      await expect(failed).rejects.toMatchObject({ code: "store_unavailable", ambiguous });
    }
    expect(await countEvents(opened)).toBe(5 * 4_999);
  });
});

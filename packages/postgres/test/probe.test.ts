import { startPostgres } from "@tm/run-events-test-servers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { driverOfPg } from "../src/pg-driver.ts";
import { PATIENT } from "./patient.ts";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import {
  begin,
  countWaiting,
  newSchema,
  openPool,
  openStore,
  useServer,
  type RuledStore,
} from "./stores.ts";

const server = useServer();

/** A probe that shows whether it has resolved. */
function startProbe(store: RuledStore): { readonly done: Promise<void>; isDone(): boolean } {
  const resolved = vi.fn();
  return { done: store.probe().then(resolved), isDone: () => resolved.mock.calls.length > 0 };
}

describe("a probe", () => {
  it("S31: a probe waits for the same commit as an append, and leaves no row", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    await store.append([appendOf("a")]);
    const inspect = async (): Promise<{ readonly flushed: string; readonly rows: unknown }> => {
      const { rows } = await pool.query<{ readonly flushed: string }>(
        "SELECT pg_current_wal_flush_lsn()::text AS flushed",
      );
      const tables = ["runs", "events", "migrations"].map((table) =>
        pool.query(`SELECT xmin, * FROM ${schema}.${table}`),
      );
      const all = (await Promise.all(tables)).map((table): unknown => table.rows);
      return { flushed: rows[0]?.flushed ?? "", rows: all };
    };
    const before = await inspect();
    await store.probe();
    const after = await inspect();
    expect(after.rows).toEqual(before.rows);
    expect(after.flushed).not.toBe(before.flushed);
  });

  it("S31: a probe writes a temporary file, since a full disk would refuse it as it refuses the pages of an append", async () => {
    const pool = openPool(server().url);
    const store = await openStore(pool, { schema: newSchema() });
    const written = async (): Promise<number> => {
      const { rows } = await pool.query<{ readonly bytes: string }>(
        "SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot(), temp_bytes AS bytes FROM pg_stat_database WHERE datname = current_database()",
      );
      return Number(rows[0]?.bytes);
    };
    await store.probe();
    const before = await written();
    await store.probe();
    await expect.poll(written, PATIENT).toBeGreaterThanOrEqual(before + 262_144);
    expect(await written()).toBeLessThan(before + 2_000_000);
  });

  it("S31: a probe waits for the synchronous standby, on one connection", async () => {
    const own = await startPostgres();
    onTestFinished(() => own.close());
    const admin = openPool(own.url);
    const pool = openPool(own.url);
    const store = await openStore(pool, { listenPool: openPool(own.url) });
    await store.probe();
    await admin.query("ALTER SYSTEM SET synchronous_standby_names = 'absent'");
    await admin.query("SELECT pg_reload_conf()");
    const isSet = async (): Promise<unknown> =>
      (await admin.query("SHOW synchronous_standby_names")).rows[0];
    await expect.poll(isSet, PATIENT).toEqual({ synchronous_standby_names: "absent" });
    let probe = startProbe(store);
    const hanging = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    const countHanging = async (): Promise<number> => {
      // Each process of the server takes the setting over in its own time. Until then, commits do not wait.
      if (probe.isDone()) probe = startProbe(store);
      return (await admin.query(hanging)).rows.length;
    };
    await expect.poll(countHanging, PATIENT).toBe(1);
    expect(probe.isDone()).toBe(false);
    expect(pool.totalCount - pool.idleCount).toBe(1);
    await admin.query("SET synchronous_commit = local");
    await admin.query("ALTER SYSTEM RESET synchronous_standby_names");
    await admin.query("SELECT pg_reload_conf()");
    await probe.done;
    expect((await admin.query(hanging)).rows.length).toBe(0);
  });

  it.each(["runs", "events"])(
    "S31: a probe waits for the lock that appends wait for: of %s",
    async (table) => {
      const pool = openPool(server().url);
      const schema = newSchema();
      const store = await openStore(pool, { schema });
      const holder = await begin(pool, `LOCK TABLE ${schema}.${table}`);
      const probe = startProbe(store);
      await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
      expect(probe.isDone()).toBe(false);
      await holder.query("COMMIT");
      await probe.done;
    },
  );

  it.each([
    ["INSERT", "events"],
    ["UPDATE", "runs"],
    ["INSERT", "runs"],
    ["USAGE", "ordinals"],
  ])(
    "S31: a probe without the right to %s on %s fails with that reason, and needs no other right",
    async (right, table) => {
      const admin = openPool(server().url);
      const schema = newSchema();
      await openStore(admin, { schema });
      const role = `r_${schema}`;
      await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
      await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
      await admin.query(`GRANT SELECT ON ${schema}.migrations TO ${role}`);
      await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.runs TO ${role}`);
      await admin.query(`GRANT SELECT, INSERT, DELETE ON ${schema}.events TO ${role}`);
      await admin.query(`GRANT USAGE ON SEQUENCE ${schema}.ordinals TO ${role}`);
      const url = new URL(server().url);
      [url.username, url.password] = [role, role];
      const store = await openStore(openPool(url.href), { schema });
      await store.probe();
      await store.createRun(createOf("a"));
      await store.append([appendOf("a")]);
      await admin.query(`REVOKE ${right} ON ${schema}.${table} FROM ${role}`);
      await expect(store.probe()).rejects.toMatchObject({
        code: "store_unavailable",
        message:
          "The database user lacks a right: grant it the rights on the schema, its tables and its sequences.",
        retryable: false,
      });
    },
  );

  it("S19, S31: a probe notices a newer schema that breaks this program, which then stops to append", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    await pool.query(`INSERT INTO ${schema}.migrations VALUES (99, true)`);
    const newer = { code: "store_unavailable", message: expect.stringContaining("newer") };
    await expect(store.probe()).rejects.toMatchObject(newer);
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(newer);
  });

  it("S31: a probe without an answer gives its connection up, and closes it", async () => {
    const pool = openPool(server().url);
    const holder = await begin(pool, "SELECT pg_advisory_xact_lock(31)");
    const before = pool.totalCount;
    const asked = driverOfPg(pool).query("SELECT pg_advisory_xact_lock(31)", [], { timeoutMs: 50 });
    await expect(asked).rejects.toThrow("Query read timeout");
    expect(pool.totalCount).toBe(before);
    await holder.query("COMMIT");
  });

  it("S31: a probe waits no longer than the pool's own time limit", async () => {
    const holder = await begin(openPool(server().url), "SELECT pg_advisory_xact_lock(31)");
    const pool = openPool(server().url, { query_timeout: 50 });
    const limit = { timeoutMs: 600_000 };
    const asked = driverOfPg(pool).query("SELECT pg_advisory_xact_lock(31)", [], limit);
    await expect(asked).rejects.toThrow("Query read timeout");
    await holder.query("COMMIT");
  });
});

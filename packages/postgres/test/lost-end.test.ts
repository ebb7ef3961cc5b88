import {
  promoteStandby,
  startPostgres,
  startStandby,
  startTcpProxy,
} from "@tm/run-events-test-servers";
import { OWED_WITH_WORKER, playLostEnd } from "@tm/run-events-test-servers/lost-end";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { PATIENT } from "./patient.ts";
import { newSchema, openPool, openStore } from "./stores.ts";

/** Another server, or another database, makes no cursor good: so all readers of changed runs start over. */
const ANSWER_MS = 2_000;

/** A pool of one server, for what an operator does. */
async function onServer(
  url: string,
  ...statements: readonly string[]
): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: readonly unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

describe("W46: a Postgres that loses the ends of logs", () => {
  it("W46: after a failover to a lagging standby each reader that was ahead learns of it, however late, and no other one", async () => {
    const primary = await startPostgres();
    onTestFinished(() => primary.close());
    const link = await startTcpProxy({ to: primary });
    onTestFinished(() => link.close());
    const standby = await startStandby(primary, link);
    onTestFinished(() => standby.close());
    const name = await startTcpProxy({ to: primary });
    onTestFinished(() => name.close());
    const url = new URL(primary.url);
    url.port = String(name.port);
    const pool = openPool(url.href, {
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    });
    const { inner: store } = await openStore(pool, { schema: newSchema() });
    const results = await playLostEnd(
      {
        store,
        async hold() {
          const [last] = await onServer(primary.url, "SELECT pg_current_wal_flush_lsn() AS lsn");
          const { lsn } = last as { readonly lsn: string };
          const hasIt = `SELECT pg_last_wal_replay_lsn() >= '${lsn}' AS it`;
          await expect.poll(() => onServer(standby.url, hasIt), PATIENT).toEqual([{ it: true }]);
          link.stall();
        },
        async lose() {
          await primary.stop("kill");
          link.cut();
          await promoteStandby(standby);
          name.moveTo(standby);
          name.cut();
          return store;
        },
      },
      { hasWorker: true },
    );
    expect(results).toEqual(OWED_WITH_WORKER);
  });

  it("W46: after a restored backup each reader that was ahead learns of it, however late, and no other one", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.close());
    await onServer(server.url, "CREATE DATABASE runs");
    const url = new URL(server.url);
    url.pathname = "/runs";
    const open = () => openPool(url.href, { connectionTimeoutMillis: ANSWER_MS });
    const pool = open();
    const { inner: store } = await openStore(pool, { schema: newSchema() });
    const dump = (sql: string): Promise<unknown> => onServer(server.url, sql);
    const results = await playLostEnd(
      {
        store,
        async hold() {
          // A copy of a database is taken while no client is connected to it: the pool's connections come back.
          await dump("ALTER DATABASE runs ALLOW_CONNECTIONS false");
          await dump(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'runs'",
          );
          await expect
            .poll(
              () => dump("CREATE DATABASE backup TEMPLATE runs").then(() => "made", String),
              PATIENT,
            )
            .toBe("made");
          await dump("ALTER DATABASE runs ALLOW_CONNECTIONS true");
        },
        async lose() {
          await dump("DROP DATABASE runs WITH (FORCE)");
          await dump("ALTER DATABASE backup RENAME TO runs");
          return store;
        },
      },
      { hasWorker: true },
    );
    expect(results).toEqual(OWED_WITH_WORKER);
  });
});

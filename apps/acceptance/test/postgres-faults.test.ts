import { setTimeout as pass } from "node:timers/promises";
import {
  type PostgresServer,
  startPostgres,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { play } from "./play.ts";
import type { RestartingServer } from "./restarting-server.ts";
import { CLIENTS, LONG_MS, startTwoServers, strikes } from "./two-servers.ts";

const STALL_MS = 5_000;

describe("two servers on one Postgres", () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.close());

  /** Two servers on a database of their own, behind a proxy. */
  async function open(): Promise<{
    readonly servers: readonly RestartingServer[];
    readonly proxy: TcpProxy;
    readonly database: string;
  }> {
    const proxy = await startTcpProxy({ to: postgres });
    onTestFinished(() => proxy.close());
    const url = new URL(await postgres.createDatabase());
    url.port = String(proxy.port);
    const servers = await startTwoServers(url.href);
    return { servers, proxy, database: url.pathname.slice(1) };
  }

  it(
    "S1, S2, S7: survive their own kills",
    async () => {
      const { servers } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(6, async (index) => servers[index % 2]?.crash()),
      });
    },
    LONG_MS,
  );

  it(
    "S6, S7, S13: lose nothing acknowledged when Postgres crashes and comes back",
    async () => {
      const { servers } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(4, async () => {
          await postgres.stop("immediate");
          await postgres.start();
        }),
      });
    },
    LONG_MS,
  );

  it(
    "S7, S13: lose nothing when their sessions are terminated",
    async () => {
      const { servers, database } = await open();
      const admin = new pg.Pool({ connectionString: postgres.url, max: 1 });
      onTestFinished(() => admin.end());
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(8, async () => {
          const { rowCount } = await admin.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            [database],
          );
          expect(rowCount).toBeGreaterThan(0);
        }),
      });
    },
    LONG_MS,
  );

  it(
    "S13, S14: are woken again when the connections that listen are cut alone",
    async () => {
      const { servers, proxy } = await open();
      const listening = () => proxy.connections().filter((one) => one.hasSent("LISTEN"));
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(4, async () => {
          await expect.poll(() => listening().length, { timeout: 30_000 }).toBe(servers.length);
          for (const connection of listening()) connection.cut();
        }),
      });
    },
    LONG_MS,
  );

  it(
    "S15: need no notification at all",
    async () => {
      const { servers, proxy } = await open();
      proxy.dropNotifications("postgres");
      await play({ servers, clients: CLIENTS, strikes: [] });
    },
    LONG_MS,
  );

  it(
    "S7, S13: go on after a network that stood still",
    async () => {
      const { servers, proxy } = await open();
      await play({
        servers,
        clients: CLIENTS,
        strikes: strikes(2, async () => {
          proxy.stall();
          // The fault itself takes that long: nothing is waited for.
          await pass(STALL_MS);
          proxy.resume();
        }),
      });
    },
    LONG_MS,
  );
});

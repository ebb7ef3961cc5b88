import { setTimeout as pass } from "node:timers/promises";
import {
  type NotifyingProtocol,
  type ProxiedConnection,
  startPostgres,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { play } from "./play.ts";
import type { RestartingServer } from "./restarting-server.ts";
import { CLIENTS, LONG_MS, startTwoServers, strikes } from "./two-servers.ts";

const STALL_MS = 5_000;
const PATIENCE = { timeout: 60_000 };

/** Two servers on one store that they reach through a proxy. All end with the test. */
interface Opened {
  readonly servers: readonly RestartingServer[];
  readonly proxy: TcpProxy;
  /** Kills the store's server, and starts it again. */
  crash(): Promise<void>;
}

interface Store {
  readonly name: string;
  readonly protocol: NotifyingProtocol;
  /** Whether a connection is one of those that take notifications. */
  listens(connection: ProxiedConnection): boolean;
  open(): Promise<Opened>;
}

async function openPostgres() {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.close());
  const proxy = await startTcpProxy({ to: postgres });
  onTestFinished(() => proxy.close());
  const url = new URL(await postgres.createDatabase());
  url.port = String(proxy.port);
  return {
    servers: await startTwoServers(url.href),
    proxy,
    async crash() {
      await postgres.stop("immediate");
      await postgres.start();
    },
    url: postgres.url,
    database: url.pathname.slice(1),
  };
}

async function openRedis(): Promise<Opened> {
  const redis = await startRedis({ settings: ["--appendfsync", "always"] });
  onTestFinished(() => redis.close());
  const proxy = await startTcpProxy({ to: redis });
  onTestFinished(() => proxy.close());
  return {
    servers: await startTwoServers(`redis://${proxy.host}:${proxy.port}`),
    proxy,
    async crash() {
      await redis.kill();
      await redis.start();
    },
  };
}

const STORES: readonly Store[] = [
  {
    name: "Postgres",
    protocol: "postgres",
    listens: (connection) => connection.hasSent("LISTEN"),
    open: openPostgres,
  },
  {
    name: "Redis",
    protocol: "redis",
    listens: (connection) => connection.hasSent("subscribe") || connection.hasSent("SUBSCRIBE"),
    open: openRedis,
  },
];

describe.each(STORES)("two servers on one $name", ({ protocol, listens, open }) => {
  async function survive(
    { servers }: Opened,
    count: number,
    strike: (index: number) => Promise<void>,
  ): Promise<void> {
    await play({ servers, clients: CLIENTS, strikes: strikes(count, strike) });
  }

  it("S1, S2, S7: survive their own kills", { timeout: LONG_MS }, async () => {
    const opened = await open();
    await survive(opened, 6, async (index) => opened.servers[index % 2]?.crash());
  });

  it(
    "S6, S7, S13: lose nothing acknowledged when the store crashes and comes back",
    { timeout: LONG_MS },
    async () => {
      const opened = await open();
      await survive(opened, 4, () => opened.crash());
    },
  );

  it(
    "S13: are notified again when the connections that listen are cut alone",
    { timeout: LONG_MS },
    async () => {
      const opened = await open();
      const listening = (): readonly ProxiedConnection[] =>
        opened.proxy.connections().filter(listens);
      await survive(opened, 4, async () => {
        await expect.poll(() => listening().length, PATIENCE).toBe(opened.servers.length);
        for (const connection of listening()) connection.cut();
      });
    },
  );

  it("S13: need no notification at all", { timeout: LONG_MS }, async () => {
    const opened = await open();
    opened.proxy.dropNotifications(protocol);
    await play({ servers: opened.servers, clients: CLIENTS, strikes: [] });
  });

  it("S7, S13: go on after a stalled network", { timeout: LONG_MS }, async () => {
    const opened = await open();
    await survive(opened, 2, async () => {
      opened.proxy.stall();
      // This is the duration of the fault itself, and not a wait for its effect.
      await pass(STALL_MS);
      opened.proxy.resume();
    });
  });
});

it(
  "S7, S13: two servers on one Postgres lose nothing when their sessions are terminated",
  { timeout: LONG_MS },
  async () => {
    const { servers, database, url } = await openPostgres();
    const admin = new pg.Pool({ connectionString: url, max: 1 });
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
);

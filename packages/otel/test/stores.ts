import { createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import type { RunEventStore, Telemetry } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import {
  type NotifyingProtocol,
  startPostgres,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import pg from "pg";
import { expect, onTestFinished } from "vitest";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server of runs that is shared by processes. */
export interface SharedServer extends Address {
  readonly protocol: NotifyingProtocol;
  /** Opens a store on it, at an address that leads to it. It is closed after the test. */
  open(at: Address): Promise<RunEventStore>;
  /** Ends all connections that listen to notifications. @returns how many */
  killListeners(): Promise<number>;
  /** Sends an append through the proxy, and cuts the network once it has landed and before its answer passes. */
  loseAnswer<Answer>(
    proxy: TcpProxy,
    append: () => Promise<Answer>,
    untilLanded: () => Promise<unknown>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** A server with `NOTIFY`. */
export async function startPostgresServer(): Promise<SharedServer> {
  const server = await startPostgres();
  const admin = new pg.Pool({ connectionString: server.url, max: 2 });
  const { host, port } = server;
  return {
    host,
    port,
    protocol: "postgres",
    async open(at) {
      const url = new URL(server.url);
      url.port = String(at.port);
      const pool = new pg.Pool({ connectionString: url.href });
      // Tests break connections; the next use of one fails with this error.
      pool.on("error", () => {});
      const store = createPostgresStore(pool);
      onTestFinished(async () => {
        await store.close();
        await pool.end();
      });
      await store.migrate();
      return store;
    },
    async killListeners() {
      const { rows } = await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'",
      );
      return rows.length;
    },
    async loseAnswer(proxy, append, untilLanded) {
      const blocker = await admin.connect();
      await blocker.query("BEGIN");
      await blocker.query("SELECT FROM run_events.runs FOR UPDATE");
      const landed = append();
      // The server has the append when a session waits for the lock.
      const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      await expect.poll(async () => (await admin.query(waiting)).rows.length).toBe(1);
      proxy.stall();
      await blocker.query("COMMIT");
      blocker.release();
      await untilLanded();
      proxy.cut();
      proxy.resume();
      return landed;
    },
    async close() {
      await admin.end();
      await server.close();
    },
  };
}

/** A server with channels. */
export async function startRedisServer(): Promise<SharedServer> {
  const server = await startRedis();
  const admin = new Redis(server.url);
  const { host, port } = server;
  return {
    host,
    port,
    protocol: "redis",
    async open(at) {
      // The client must not send again by itself what core is to send again.
      const options = { maxRetriesPerRequest: 0, retryStrategy: () => 10 };
      const redis = new Redis(at.port, at.host, options);
      redis.on("error", () => {});
      const store = await openRedisStore(redis);
      onTestFinished(async () => {
        await store.close();
        redis.disconnect();
      });
      return store;
    },
    async loseAnswer(proxy, append, untilLanded) {
      proxy.stallAnswers();
      const landed = append();
      await untilLanded();
      proxy.cut();
      proxy.resume();
      return landed;
    },
    killListeners: async () => Number(await admin.call("CLIENT", "KILL", "TYPE", "pubsub")),
    async close() {
      admin.disconnect();
      await server.close();
    },
  };
}

/** A process that reaches the server through a proxy, and one that reaches it directly. */
export interface TwoProcesses {
  readonly proxy: TcpProxy;
  /** Ada's runs, as each sees them. */
  readonly runs: OwnedRuns;
  readonly others: OwnedRuns;
  /** A run of both. */
  readonly runId: string;
  /** Closes the runs of the first. */
  close(): Promise<void>;
}

/** Opens both. @param telemetry of the first */
export async function openTwo(server: SharedServer, telemetry: Telemetry): Promise<TwoProcesses> {
  const proxy = await startTcpProxy({ to: server });
  onTestFinished(() => proxy.close());
  const runs = createRunEvents({ store: await server.open(proxy), telemetry });
  const others = createRunEvents({ store: await server.open(server) });
  onTestFinished(async () => {
    proxy.resume();
    await runs.close();
    await others.close();
  });
  const ada = { runs: runs.as("ada"), others: others.as("ada") };
  const { runId } = await ada.others.create();
  return { proxy, ...ada, runId, close: () => runs.close() };
}

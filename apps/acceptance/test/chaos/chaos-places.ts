import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startPostgres, startRedis, startRedisCluster } from "@tm/run-events-test-servers";
import Database from "better-sqlite3";
import { Redis } from "ioredis";
import pg from "pg";
import { onTestFinished } from "vitest";
import { makeTempFolder } from "../temp-folder.ts";

/** A store for the runs of a chaos test. */
export interface ChaosPlace {
  readonly storeUrl: string;
  /** Keeps the database from answering any client for this time. */
  stall(forMs: number): Promise<void>;
  /**
   * Whether the store ignores a worker's own clock. A SQLite file has no clock but its process's, and all those processes are on
   * one machine.
   */
  readonly hasClock: boolean;
}

/** Every store that processes can share. */
export const CHAOS_PLACES: Readonly<Record<string, () => Promise<ChaosPlace>>> = {
  async SQLite() {
    const file = join(await makeTempFolder(), "run-events.db");
    return {
      storeUrl: `sqlite:${file}`,
      hasClock: false,
      async stall(forMs) {
        const db = new Database(file);
        db.exec("BEGIN IMMEDIATE");
        await pause(forMs);
        db.exec("ROLLBACK");
        db.close();
      },
    };
  },
  async Postgres() {
    const server = await startPostgres();
    onTestFinished(() => server.close());
    return {
      storeUrl: server.url,
      hasClock: true,
      async stall(forMs) {
        const client = new pg.Client({ connectionString: server.url });
        await client.connect();
        await client.query("BEGIN; LOCK TABLE run_events.runs IN ACCESS EXCLUSIVE MODE");
        await pause(forMs);
        await client.query("ROLLBACK");
        await client.end();
      },
    };
  },
  async Redis() {
    const server = await startRedis();
    onTestFinished(() => server.close());
    return { storeUrl: server.url, hasClock: true, stall: (forMs) => stallNodes([server], forMs) };
  },
  async "Redis Cluster"() {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.close());
    return {
      storeUrl: cluster.url,
      hasClock: true,
      stall: (forMs) => stallNodes(cluster.nodes, forMs),
    };
  },
};

async function stallNodes(
  nodes: readonly { readonly host: string; readonly port: number }[],
  forMs: number,
): Promise<void> {
  await Promise.all(
    nodes.map(async ({ host, port }) => {
      const redis = new Redis({ host, port });
      await redis.call("CLIENT", "PAUSE", String(forMs), "ALL");
      await pause(forMs);
      redis.disconnect();
    }),
  );
}

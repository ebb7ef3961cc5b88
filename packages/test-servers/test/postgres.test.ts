import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  findSystemPostgres,
  startPostgres,
  startStandby,
  type PostgresEngine,
  type PostgresOptions,
  type PostgresServer,
} from "../src/index.ts";
import { listens } from "../src/listens.ts";

const engines: readonly PostgresEngine[] =
  findSystemPostgres() === null ? ["embedded"] : ["embedded", "system"];

describe.each(engines)("the %s Postgres", (engine) => {
  it("keeps what was written over a stop of either kind, on the same port with the same settings", async () => {
    const server = await open({ engine, settings: { work_mem: "1234kB" } });
    await query(server.url, "CREATE TABLE kept (value text)");
    for (const mode of ["fast", "immediate"] as const) {
      await query(server.url, `INSERT INTO kept VALUES ('${mode}')`);
      await server.stop(mode);
      expect(await listens(server.port)).toBe(false);
      await server.start();
    }
    expect(await query(server.url, "SELECT value FROM kept")).toEqual([
      { value: "fast" },
      { value: "immediate" },
    ]);
    expect(await query(server.url, "SHOW work_mem")).toEqual([{ work_mem: "1234kB" }]);
  });

  it("gives empty databases, which sync to disk and sort text by a language, not by bytes", async () => {
    const server = await open({ engine });
    const urls = await Promise.all([server.createDatabase(), server.createDatabase()]);
    expect(new Set([server.url, ...urls]).size).toBe(3);
    for (const database of urls) await query(database, "CREATE TABLE mine ()");
    const [url] = urls;
    expect(await query(url, "SHOW fsync")).toEqual([{ fsync: "on" }]);
    const sorted = "SELECT array(SELECT x FROM unnest('{B,a,C}'::text[]) x ORDER BY x) AS sorted";
    expect(await query(url, sorted)).toEqual([{ sorted: ["a", "B", "C"] }]);
  });

  it("has a standby that can be read, cannot be written, and follows", async () => {
    const primary = await open({ engine });
    await query(primary.url, "CREATE TABLE followed AS SELECT 1 AS value");
    const standby = await startStandby(primary);
    onTestFinished(() => standby.close());
    expect(await query(standby.url, "SELECT * FROM followed")).toEqual([{ value: 1 }]);
    await expect(query(standby.url, "INSERT INTO followed VALUES (2)")).rejects.toMatchObject({
      code: "25006",
    });
    await query(primary.url, "INSERT INTO followed VALUES (2)");
    await expect
      .poll(() => query(standby.url, "SELECT * FROM followed"), { timeout: 20_000 })
      .toEqual([{ value: 1 }, { value: 2 }]);
  });

  it("leaves neither process nor folder, and closes twice as well as once", async () => {
    const server = await open({ engine });
    await Promise.all([server.close(), server.close()]);
    expect(await listens(server.port)).toBe(false);
    expect(existsSync(dirname(server.dataFolder))).toBe(false);
  });

  it("fails with what Postgres printed when it does not start", async () => {
    await expect(open({ engine, settings: { work_mem: "much" } })).rejects.toThrow(/work_mem/);
  });
});

async function open(options: PostgresOptions): Promise<PostgresServer> {
  const server = await startPostgres(options);
  onTestFinished(() => server.close());
  return server;
}

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

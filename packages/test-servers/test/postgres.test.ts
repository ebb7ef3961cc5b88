import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  findSystemPostgres,
  startPostgres,
  type PostgresEngine,
  type PostgresOptions,
  type PostgresServer,
} from "../src/index.ts";
import { listens } from "../src/listens.ts";

const engines: readonly PostgresEngine[] =
  findSystemPostgres() === null ? ["embedded"] : ["embedded", "system"];

describe.each(engines)("the %s Postgres", (engine) => {
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

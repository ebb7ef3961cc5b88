import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { Client } from "pg";
import { expect, it, onTestFinished } from "vitest";
import { call, readLog } from "./api.ts";
import { startServer } from "./server-process.ts";
import { mountSmallDisk, type SmallDisk } from "./small-disk.ts";

const DISK_BYTES = 67_108_864;
const READERS = 120;
const RUN = "/v1/agent-runs/kept";
/** Ends a test that hangs. */
const PATIENCE = { timeout: 40_000 };

interface Served {
  readonly disk: SmallDisk;
  readonly storeUrl: string;
}

async function openSqlite(): Promise<Served & { readonly under: readonly string[] }> {
  const disk = await mountSmallDisk(DISK_BYTES);
  return { disk, storeUrl: `sqlite:${join(disk.folder, "run-events.db")}`, under: disk.under };
}

/** The small disk holds the tables. The database's log is elsewhere, since its segments have their room before the disk is full. */
async function openPostgres(): Promise<Served> {
  const disk = await mountSmallDisk(DISK_BYTES);
  const postgres = await startPostgres({ under: disk.under });
  onTestFinished(() => postgres.close());
  if (process.getuid?.() === 0) await disk.run("chown", "65534:65534", disk.folder);
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE TABLESPACE small LOCATION '${disk.folder}'`);
  await client.query("CREATE DATABASE small TABLESPACE small");
  await client.end();
  const url = new URL(postgres.url);
  url.pathname = "/small";
  return { disk, storeUrl: url.href };
}

async function openRedis(): Promise<Served> {
  const disk = await mountSmallDisk(DISK_BYTES);
  const redis = await startRedis({ settings: ["--dir", disk.folder], under: disk.under });
  onTestFinished(() => redis.close());
  return { disk, storeUrl: redis.url };
}

it.each([
  ["SQLite", openSqlite],
  ["Postgres", openPostgres],
  ["Redis", openRedis],
])(
  "W30, S31: on a full disk of %s readyz is 503 until there is room again, and every reader still gets the whole log",
  async (_, open) => {
    const { disk, storeUrl, ...rest } = await open();
    const { url } = await startServer({ storeUrl, ...rest });
    await call(url, "POST", "/v1/agent-runs", { runId: "kept" });
    const readyz = async (): Promise<number> => (await call(url, "GET", "/readyz")).status;
    let appends = 0;
    const append = async (): Promise<number> => {
      const events = [{ eventType: "NOTE", payload: "x".repeat(20_000) }];
      const key = { "idempotency-key": `${appends}` };
      const { status } = await call(url, "POST", `${RUN}/events`, { events }, key);
      if (status < 300) appends += 1;
      return status;
    };
    expect([await append(), await readyz()]).toEqual([201, 200]);

    const filling = join(disk.folder, "filling");
    await disk.run("sh", "-c", `dd if=/dev/zero of=${filling} bs=4096 2>/dev/null || true`);
    await expect.poll(append, PATIENCE).toBe(503);
    await expect.poll(readyz, PATIENCE).toBe(503);
    // None of these requests may find the store ready in between.
    for (let looks = 0; looks < 20; looks++) {
      expect([await append(), await readyz()]).toEqual([503, 503]);
    }
    const logs = await Promise.all(Array.from({ length: READERS }, () => readLog(url, "kept")));
    const [log = []] = logs;
    // One append was in doubt, and may have landed.
    expect(log.length).toBeOneOf([appends, appends + 1]);
    expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, at) => at + 1));
    const textOf = (events: typeof log): string => JSON.stringify(events);
    expect(logs.filter((one) => textOf(one) !== textOf(log))).toEqual([]);

    await disk.run("rm", filling);
    await expect.poll(readyz, PATIENCE).toBe(200);
    expect(await append()).toBeOneOf([200, 201]);
    expect((await readLog(url, "kept")).length).toBe(appends);
  },
);

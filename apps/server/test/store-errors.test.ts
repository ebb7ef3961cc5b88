import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createPostgresStore } from "@tm/run-events-postgres";
import {
  findFreePort,
  startPostgres,
  startRedis,
  type PostgresServer,
  type RedisServer,
} from "@tm/run-events-test-servers";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startInVain, startServer } from "./start-server.ts";

const PASSWORD = "hunter2";

let postgres: PostgresServer;
let redis: RedisServer;
beforeAll(async () => {
  postgres = await startPostgres();
  redis = await startRedis({ settings: ["--requirepass", PASSWORD] });
});
afterAll(async () => {
  await Promise.all([postgres?.close(), redis?.close()]);
});

/** The URL of a separate database on the suite's Postgres, changed. */
async function postgresUrl(change: (url: URL) => void): Promise<string> {
  const url = new URL(await postgres.createDatabase());
  change(url);
  return url.href;
}

/** The URL of the suite's Redis, which asks for a password. */
function redisUrl(scheme: string, userInfo: string, path = ""): string {
  return `${scheme}://${userInfo}@${redis.host}:${redis.port}${path}`;
}

/** A port that takes connections and does not answer, unless `answer` does. */
async function silentPort(answer: (socket: Socket) => void = () => {}): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
    onTestFinished(() => void socket.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function newerSchema(): Promise<string> {
  const url = await postgres.createDatabase();
  const pool = new Pool({ connectionString: url });
  try {
    const store = createPostgresStore(pool);
    await store.migrate();
    await store.close();
    await pool.query("INSERT INTO run_events.migrations (migration, breaking) VALUES (999, true)");
  } finally {
    await pool.end();
  }
  return url;
}

async function withoutRights(): Promise<string> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE ROLE ada LOGIN PASSWORD '${PASSWORD}'`);
  await client.end();
  return postgresUrl((url) => Object.assign(url, { username: "ada", password: PASSWORD }));
}

async function evicting(): Promise<string> {
  const server = await startRedis({ settings: ["--maxmemory-policy", "allkeys-lru"] });
  onTestFinished(() => server.close());
  return server.url;
}

async function nodeOfCluster(): Promise<string> {
  const server = await startRedis({ settings: ["--cluster-enabled", "yes"] });
  onTestFinished(() => server.close());
  return server.url;
}

const NO_TLS = /; if its port does not speak TLS, begin the URL with redis:\/\/\n$/;

/** A name, the store's URL, and the reason that is given. */
type Case = readonly [string, () => Promise<string> | string, RegExp];

const REFUSED: readonly Case[] = [
  [
    "a Postgres refuses the password",
    () => postgresUrl((url) => (url.password = PASSWORD)),
    /password authentication failed/,
  ],
  [
    "a Postgres asks for a password",
    () => postgresUrl((url) => (url.password = "")),
    /: it asks for a password: put USER:PASSWORD@ before/,
  ],
  [
    "a Postgres has no such database",
    () => postgresUrl((url) => (url.pathname = "/nothing")),
    /database "nothing" does not exist/,
  ],
  [
    "a Postgres has no database of a name that says what is said of a server that is away",
    () => postgresUrl((url) => (url.pathname = "/timeout")),
    /database "timeout" does not exist/,
  ],
  ["a Postgres denies the user the schema", withoutRights, /permission denied/],
  ["a Postgres has a newer schema", newerSchema, /newer, incompatible schema/],
  [
    "a Redis asks for a password",
    () => redis.url,
    /: it asks for a password: put .*:PASSWORD@ before/,
  ],
  [
    "a Redis Cluster asks for a password",
    () => redis.url.replace("redis:", "redis+cluster:"),
    /no node of it can be used: it asks for a password: /,
  ],
  ["a Redis refuses the password", () => redisUrl("redis", `:${PASSWORD}3`), /WRONGPASS/],
  ["a Redis refuses the user", () => redisUrl("redis", `ada:${PASSWORD}`), /WRONGPASS/],
  [
    "a Redis has no such database",
    () => redisUrl("redis", `:${PASSWORD}`, "/99"),
    /DB index is out of range/,
  ],
  [
    "a port of rediss answers in plain text",
    async () =>
      `rediss://:${PASSWORD}@127.0.0.1:${await silentPort((socket) => socket.write("-ERR what\r\n"))}`,
    NO_TLS,
  ],
  ["a Redis may evict runs", evicting, /maxmemory-policy/],
  [
    "a Redis is not a cluster",
    () => redisUrl("redis+cluster", `:${PASSWORD}`),
    /cluster support disabled/,
  ],
  ["a Redis is a node of a cluster", nodeOfCluster, /redis\+cluster:/],
  [
    "a Redis Cluster refuses the password",
    () => redisUrl("redis+cluster", `:${PASSWORD}3`),
    /WRONGPASS/,
  ],
];

const AWAY: readonly Case[] = [
  [
    "a Postgres is read-only",
    () =>
      postgresUrl((url) => url.searchParams.set("options", "-c default_transaction_read_only=on")),
    /read-only/,
  ],
  [
    "no server listens where a Postgres should be",
    async () => `postgres://ada:${PASSWORD}@127.0.0.1:${await findFreePort()}/runs`,
    /ECONNREFUSED/,
  ],
  [
    "no server listens at any address of a Postgres' name",
    async () => `postgres://ada:${PASSWORD}@localhost:${await findFreePort()}/runs`,
    /ECONNREFUSED/,
  ],
  [
    "a Postgres does not answer",
    async () => `postgres://ada:${PASSWORD}@127.0.0.1:${await silentPort()}/runs`,
    /connection timeout/,
  ],
  ["a Redis speaks no TLS", () => redisUrl("rediss", `:${PASSWORD}`), NO_TLS],
  [
    "a port of rediss hangs up",
    async () => `rediss://:${PASSWORD}@127.0.0.1:${await silentPort((socket) => socket.end())}`,
    NO_TLS,
  ],
  [
    "no server listens where a rediss should be",
    async () => `rediss://:${PASSWORD}@127.0.0.1:${await findFreePort()}`,
    /ECONNREFUSED [\d.:]+\n$/,
  ],
  [
    "no server listens where a Redis should be",
    async () => `redis://:${PASSWORD}@127.0.0.1:${await findFreePort()}`,
    /ECONNREFUSED/,
  ],
  [
    "no server listens at any address of a Redis' name",
    async () => `redis://:${PASSWORD}@localhost:${await findFreePort()}`,
    /ECONNREFUSED/,
  ],
  [
    "no server listens where a Redis Cluster should be",
    async () => `redis+cluster://:${PASSWORD}@127.0.0.1:${await findFreePort()}`,
    /no node of it can be used: Connection is closed/,
  ],
  [
    "a Redis does not answer",
    async () => `redis://:${PASSWORD}@127.0.0.1:${await silentPort()}`,
    /no answer/,
  ],
];

describe("a start ends with 1 and one clear line without the password where", () => {
  it.each(REFUSED)("%s", async (_, prepare, reason) => {
    const storeUrl = await prepare();
    const { exitCode, stdout, stderr } = await startInVain({ STORE_URL: storeUrl });
    expect([exitCode, stdout], stderr).toEqual([1, ""]);
    expect(stderr).toMatch(/^run-events-server: cannot open the store .+: .+\n$/);
    expect(stderr).toMatch(reason);
    expect(stderr).not.toContain(PASSWORD);
  });
});

describe("a start waits, and logs the reason once without the password, where", () => {
  it.each(AWAY)("%s", async (_, prepare, reason) => {
    const server = await startServer({ STORE_URL: await prepare(), DRAIN_MS: "0" });
    expect(server.stdout()).toContain("away: requests are answered 503 until it is back");
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    const { exitCode, stderr } = await server.end("SIGTERM");
    const lines = stderr.trimEnd().split("\n");
    const [line, ...rest] = lines.map((text) => JSON.parse(text) as Record<string, string>);
    expect(line?.["event"]).toBe("appends_stalled");
    expect(line?.["cause_message"]).toMatch(/^cannot open the store .+: .+$/);
    expect(`${line?.["cause_message"]}\n`).toMatch(reason);
    // The limit of descriptors is the machine's.
    const events = rest.map(({ event }) => event).filter((event) => event !== "descriptors_low");
    expect(events).toEqual(["draining", "stopped"]);
    expect(stderr).not.toContain(PASSWORD);
    expect(exitCode).toBe(0);
  });
});

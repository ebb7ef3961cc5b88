import { findFreePort, startPostgres } from "@tm/run-events-test-servers";
import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { PATIENT } from "./patient.ts";
import { appendOf, claimOf, createOf, queryOf } from "@tm/run-events-test-servers/requests";
import {
  createStore,
  newSchema,
  openPool,
  openStore,
  type RuledStore,
  useServer,
} from "./stores.ts";

const SECRET = "a-secret-of-the-caller";
const server = useServer();

function urlWith(change: (url: URL) => void): string {
  const url = new URL(server().url);
  change(url);
  return url.href;
}

/** Expects that every call fails in the same way, with the driver's error as the cause and without the password. */
async function expectFailure(store: RuledStore, expected: object): Promise<void> {
  const calls = [
    () => store.verify(),
    () => store.createRun(createOf("a")),
    () => store.append([appendOf("a")]),
    () => store.read([queryOf("a")]),
    () => store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 1 }),
    () => store.deleteRun("a"),
  ];
  for (const call of calls) {
    const failure = await call().then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(RunEventsError);
    expect(failure).toMatchObject({
      code: "store_unavailable",
      ambiguous: false,
      cause: expect.any(Error),
      ...expected,
    });
    const { message, cause } = failure as RunEventsError;
    for (const text of [message, (cause as Error).message]) expect(text).not.toContain(SECRET);
  }
}

describe("bad surroundings", () => {
  it.each<[string, (url: URL, freePort: number) => void, string, boolean]>([
    [
      "a wrong password",
      (url) => (url.password = SECRET),
      "The database refused the password: check the password of the pool.",
      false,
    ],
    [
      "a database that does not exist",
      (url) => (url.pathname = "/nowhere"),
      "The database does not exist: create it, or correct its name.",
      false,
    ],
    [
      "a server that cannot be reached",
      (url, port) => ([url.port, url.password] = [String(port), SECRET]),
      "The database cannot be reached: check that it runs, and the host and port of the pool.",
      true,
    ],
  ])("S20: %s makes every call unavailable", async (_, change, message, retryable) => {
    const port = await findFreePort();
    const store = createStore(openPool(urlWith((url) => change(url, port))));
    await expectFailure(store, { message, retryable });
  });

  it("S20: a pool that was ended makes every call unavailable for good", async () => {
    const pool = openPool(server().url);
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    await pool.end();
    for (const call of [
      () => store.append([appendOf("a")]),
      () => store.claim(claimOf("a")),
      () => store.getRun("a"),
      () => store.probe(),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: "store_unavailable",
        message: "The store's pool has been ended: end it after the store is closed.",
        retryable: false,
        ambiguous: false,
      });
    }
  });

  it("S7: a pool whose connections are all in use sends nothing, and its error names that cause", async () => {
    const pool = openPool(server().url, { max: 2, connectionTimeoutMillis: 1_000 });
    const store = await openStore(pool, { listenPool: openPool(server().url) });
    await store.createRun(createOf("a"));
    const hogs = [await pool.connect(), await pool.connect()];
    for (const call of [
      () => store.claim(claimOf("a")),
      () => store.append([appendOf("a")]),
      () => store.createRun(createOf("b")),
      () => store.probe(),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: "store_unavailable",
        message: expect.stringMatching(
          /^None of the pool's connections became free in time: check that the database answers.*`max`/,
        ),
        retryable: true,
        ambiguous: false,
      });
    }
    for (const hog of hogs) hog.release();
    expect(await store.claim(claimOf("a"))).toMatchObject({ outcome: "granted" });
  });

  it("S20: more connections than the server allows make a call unavailable for now", async () => {
    const admin = openPool(server().url);
    await admin.query("CREATE ROLE lonely SUPERUSER LOGIN PASSWORD 'lonely' CONNECTION LIMIT 1");
    await admin.query("ALTER ROLE lonely NOSUPERUSER");
    const schema = newSchema();
    await openStore(admin, { schema });
    await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO lonely`);
    await admin.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO lonely`);
    await admin.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO lonely`);
    const url = urlWith((one) => ([one.username, one.password] = ["lonely", "lonely"]));
    const first = await openPool(url).connect();
    const store = createStore(openPool(url), { schema });
    await expectFailure(store, {
      message:
        "The database has too many connections: lower the `max` of the pools, or raise `max_connections`.",
      retryable: true,
    });
    first.release(true);
    await expect
      .poll(() => store.createRun(createOf("a")).catch(() => null), PATIENT)
      .toMatchObject({ outcome: "created" });
  });

  it("S6: the durability of a store follows from the server's settings", async () => {
    const url = server().url;
    const durabilityOf = async (options: string): Promise<unknown> => {
      const store = await openStore(openPool(url, { options }));
      return store.capabilities.durability;
    };
    expect(createStore(openPool(url)).capabilities.durability).toBe("unknown");
    expect(await durabilityOf("")).toBe("power");
    expect(await durabilityOf("-c synchronous_commit=local")).toBe("power");
    expect(await durabilityOf("-c synchronous_commit=off")).toBe("unknown");
    const fast = await startPostgres({ settings: { fsync: "off" } });
    onTestFinished(() => fast.close());
    const store = await openStore(openPool(fast.url));
    expect(store.capabilities.durability).toBe("process");
  });
});

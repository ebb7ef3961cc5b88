import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, openStream, signIn } from "./client.ts";
import { ADA, type ServerProcess, startInVain, startServer } from "./start-server.ts";

/** Ends a test that hangs. */
const PATIENCE = { timeout: 30_000 };

interface StoppedStore {
  readonly url: string;
  start(): Promise<unknown>;
}

async function stopPostgres(): Promise<StoppedStore> {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.close());
  const url = await postgres.createDatabase();
  await postgres.stop("fast");
  return { url, start: () => postgres.start() };
}

async function stopRedis(): Promise<StoppedStore> {
  const redis = await startRedis({ settings: ["--appendfsync", "always"] });
  onTestFinished(() => redis.close());
  await redis.kill();
  return { url: redis.url, start: () => redis.start() };
}

const readyOf = async ({ url }: ServerProcess): Promise<number> =>
  (await fetch(`${url}/readyz`)).status;

describe("a store that is away at the start", () => {
  it.each([
    ["Postgres", stopPostgres],
    ["Redis", stopRedis],
  ])(
    "W24, W30: a server serves a %s that starts after it, and says once that it was away",
    async (_, stop) => {
      const store = await stop();
      const server = await startServer({
        STORE_URL: store.url,
        DRAIN_MS: "0",
        REAP_INTERVAL_MS: "50",
      });
      const runs = `${server.url}/v1/agent-runs`;
      expect([await readyOf(server), (await fetch(`${server.url}/healthz`)).status]).toEqual([
        503, 200,
      ]);
      const { cookie } = await signIn(server.url, ADA);
      for (const refused of [
        await call(runs, ADA, "POST", { runId: "r" }),
        await call(`${runs}/r/events`, ADA),
      ]) {
        expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
        expect(await refused.json()).toMatchObject({ code: "store_unavailable" });
      }
      const { frames } = await openStream(server.url, "r", cookie);
      expect(await frames).toMatchObject([
        { type: "error", code: "store_unavailable", retryable: true },
      ]);

      await store.start();
      await expect.poll(() => readyOf(server), PATIENCE).toBe(200);
      expect((await call(runs, ADA, "POST", { runId: "r" })).status).toBe(201);
      const open = await openStream(server.url, "r", cookie);
      const events = [{ eventType: "RUN_COMPLETED" }];
      expect((await call(`${runs}/r/events`, ADA, "POST", { events })).status).toBe(201);
      expect((await open.frames).at(-1)).toMatchObject({ type: "run_finished" });
      const { stderr } = await server.end("SIGTERM");
      const logged = stderr
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { event: string }).event);
      // The upkeep has begun, now that the store is there.
      expect(logged.filter((event) => /^appends_|^upkeep_|^store_/.test(event))).toEqual([
        "appends_stalled",
        "appends_back",
      ]);
    },
  );

  it("the server exits with 1 and one clear line if the Postgres that it waited for refuses its password", async () => {
    const store = await stopPostgres();
    const wrong = new URL(store.url);
    wrong.password = "hunter2";
    const ended = startInVain({ STORE_URL: wrong.href });
    await store.start();
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /run-events-server: cannot open the store .+: password authentication failed .+\n$/,
    );
    expect(stderr).not.toContain("hunter2");
  });
});

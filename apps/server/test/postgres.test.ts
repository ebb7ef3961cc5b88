import { startPostgres, startTcpProxy, type PostgresServer } from "@tm/run-events-test-servers";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { call } from "./client.ts";
import { expectToOutlive, expectToSaySo } from "./outage.ts";
import { ADA, startServer } from "./start-server.ts";
import { expectWholeJourney } from "./store-journey.ts";

/** Bounds a hang. */
const PATIENT = { timeout: 20_000 };

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.close());

describe("the server on Postgres", () => {
  it("the server on Postgres serves a run from its creation to its deletion, over a restart", async () => {
    const url = await postgres.createDatabase();
    const { host, pathname } = new URL(url);
    await expectWholeJourney(url, `postgres://${host}${pathname}`);
  });

  it("the server on Postgres warns of generated secrets, which other servers on the database would not have", async () => {
    const env = { STORE_URL: await postgres.createDatabase(), API_TOKENS: null };
    const server = await startServer(env);
    await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain("limit=5");
    expect(server.stdout()).toMatch(/^ {2}warning {2}.+ API_TOKENS, SESSION_SECRET; .+$/m);
    expect(server.stdout()).not.toContain("durability");
  });

  it("W30: the server is not ready while Postgres does not answer", async () => {
    await expectToSaySo(await postgres.createDatabase());
  });

  it("W30: the metrics count appends, and losses of the connection that listens", async () => {
    const url = await postgres.createDatabase();
    const server = await startServer({ STORE_URL: url });
    const runs = `${server.url}/v1/agent-runs`;
    await call(runs, ADA, "POST", { runId: "r" });
    await call(`${runs}/r/events`, ADA, "POST", { events: [{ eventType: "STEP" }] });
    const metrics = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
    await expect.poll(metrics, PATIENT).toMatch(/^run_events_notifications_up 1$/m);
    expect(await metrics()).toMatch(/^run_events_appends_total\{outcome="appended"\} 1$/m);
    expect(await metrics()).toMatch(/^run_events_notifications_lost_total 0$/m);
    const admin = new Client({ connectionString: url });
    await admin.connect();
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await admin.end();
    await expect.poll(metrics, PATIENT).toMatch(/^run_events_notifications_lost_total 1$/m);
    await expect.poll(metrics, PATIENT).toMatch(/^run_events_notifications_up 1$/m);
  });

  it("W27: a shutdown ends by its deadline even if Postgres answers no call under way", async () => {
    const target = new URL(await postgres.createDatabase());
    const proxy = await startTcpProxy({ to: { host: target.hostname, port: Number(target.port) } });
    onTestFinished(() => proxy.close());
    target.port = `${proxy.port}`;
    const server = await startServer({ STORE_URL: target.href, DRAIN_MS: "0" });
    const runs = `${server.url}/v1/agent-runs`;
    await call(runs, ADA, "POST", { runId: "r" });
    proxy.stall();
    const events = [{ eventType: "STEP" }];
    const gone = Promise.allSettled([
      call(`${runs}/r/events`, ADA, "POST", { events }),
      call(`${runs}/r/events`, ADA),
      call(`${runs}/r/claim`, ADA, "POST", { leaseMs: 60_000 }),
    ]);
    const inFlight = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
    await expect.poll(inFlight).toMatch(/^run_events_requests_in_flight\S* 3$/m);
    const { exitCode, stderr } = await server.end("SIGTERM");
    // Late, unless each call was still waiting for a connection: the pool gives up on those after the same 5 s.
    expect([exitCode, /"stopped\w*"/.exec(stderr)?.[0]]).toSatisfy(([code, last]) =>
      code === 1 ? last === '"stopped_late"' : code === 0 && last === '"stopped"',
    );
    await gone;
  });

  it("W3, W27, W30: the server stays up while Postgres is down, and is ready again when it is back", async () => {
    const stop = (): Promise<void> => postgres.stop("immediate");
    const logged = await expectToOutlive(postgres.url, { stop, start: () => postgres.start() });
    expect(logged).toContain("request_failed");
  });
});

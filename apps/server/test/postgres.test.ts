import { startPostgres, type PostgresServer } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectToOutlive, expectToSaySo } from "./outage.ts";
import { startServer } from "./start-server.ts";
import { expectWholeJourney } from "./store-journey.ts";

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.close());

describe("the server on Postgres", () => {
  it("takes a run from its making to its deletion, over a restart", async () => {
    const url = await postgres.createDatabase();
    const { host, pathname } = new URL(url);
    await expectWholeJourney(url, `postgres://${host}${pathname}`);
  });

  it("warns of secrets that it made up, which other servers on the database would not have", async () => {
    const env = { STORE_URL: await postgres.createDatabase(), API_TOKENS: null };
    const server = await startServer(env);
    await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain("limit=5");
    expect(server.stdout()).toMatch(/^ {2}warning {2}.+ API_TOKENS, SESSION_SECRET; .+$/m);
    expect(server.stdout()).not.toContain("durability");
  });

  it("W30: is not ready while Postgres says nothing", async () => {
    await expectToSaySo(await postgres.createDatabase());
  });

  it("W3, W27, W30: stays up while Postgres is down, and is ready again when that is back", async () => {
    const stop = (): Promise<void> => postgres.stop("immediate");
    const logged = await expectToOutlive(postgres.url, { stop, start: () => postgres.start() });
    expect(logged).toContain("request_failed");
  });
});

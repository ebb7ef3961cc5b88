import { IncomingMessage } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { createMemoryStore, createRunEvents, RunEventsError } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { createCredentials } from "../src/authenticate.ts";
import { createHttpServer } from "../src/http-server.ts";
import { createOwnRoutes } from "../src/routes.ts";
import { createSessionRoutes } from "../src/session-routes.ts";
import { createSessions } from "../src/session.ts";
import { createTokens } from "../src/tokens.ts";
import { call } from "./client.ts";
import { ADA, BOB } from "./start-server.ts";

const SECRET = "a secret that is made up for a test";
const MOST = 2;

afterEach(() => {
  vi.useRealTimers();
});

it("W29, W49: a user's sign-ins, sign-outs and reads of the session count among the user's requests, not among those of others", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const tokens = createTokens(
    [
      { userId: "ada", token: ADA },
      { userId: "bob", token: BOB },
    ],
    SECRET,
  );
  const isCurrent = tokens.isCurrent.bind(tokens);
  const sessions = await createSessions({ secret: SECRET, ttlMs: 60_000, isCurrent });
  const credentials = createCredentials(tokens, sessions);
  const handler = createNodeHandler({
    runs,
    authenticate: credentials.authenticate,
    maxRequestsPerUser: MOST,
  });
  const gate = Promise.withResolvers<void>();
  let opening = 0;
  const session = createSessionRoutes({
    credentials,
    sessions: {
      ...sessions,
      async open(holder) {
        opening += 1;
        if (holder.userId === "ada") await gate.promise;
        return sessions.open(holder);
      },
    },
    allowedOrigins: [],
    log() {},
  });
  const http = createHttpServer({
    ownRoutes: new Map([["/v1/session", session]]),
    handler,
    metrics: { countRequest() {}, countDropped() {} },
    maxConnections: 100,
  });
  const server = await http.listen(0, "127.0.0.1");
  onTestFinished(() => {
    gate.resolve();
    return http.close(0);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (token: string, method: string): Promise<Response> =>
    call(`${url}/v1/session`, token, method);

  const held = [ask(ADA, "POST"), ask(ADA, "POST")];
  await vi.waitFor(() => expect(opening).toBe(MOST));
  for (const method of ["GET", "DELETE", "POST"]) {
    const refused = await ask(ADA, method);
    expect([method, refused.status]).toEqual([method, 429]);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ code: "too_many_requests" });
  }
  expect((await call(`${url}/v1/agent-runs`, ADA)).status).toBe(429);
  expect((await ask(BOB, "POST")).status).toBe(204);
  gate.resolve();
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([204, 204]);
  await vi.waitFor(() => expect(handler.stats().inFlight.requests).toBe(0));
  expect((await ask(ADA, "GET")).status).toBe(200);
});

it("W30: however many requests ask whether the server is ready, it asks the store once in 100 ms", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const store = createMemoryStore();
  let looks = 0;
  let fault: RunEventsError | null = null;
  const routes = createOwnRoutes({
    session: {},
    console: new Map(),
    metrics: { encode: () => "" },
    store: {
      ...store,
      async read(queries) {
        looks += 1;
        if (fault !== null) throw fault;
        return store.read(queries);
      },
    },
    monitor: { health: () => ({ stalledBy: null, probeMs: 0, stalls: 0 }) },
    isDraining: () => false,
  });
  const request = new IncomingMessage(new Socket());
  const ask = async (count: number): Promise<ReadonlySet<number | undefined>> => {
    const answers = Array.from({ length: count }, async () =>
      routes.get("/readyz")?.["GET"]?.(request, (_, work) => work()),
    );
    return new Set((await Promise.all(answers)).map((answer) => answer?.status));
  };
  expect([await ask(1_000), looks]).toEqual([new Set([200]), 1]);
  vi.advanceTimersByTime(99);
  expect([await ask(1_000), looks]).toEqual([new Set([200]), 1]);
  fault = new RunEventsError("store_unavailable", "The store is away.");
  vi.advanceTimersByTime(1);
  expect([await ask(1_000), looks]).toEqual([new Set([503]), 2]);
  fault = null;
  vi.advanceTimersByTime(100);
  expect([await ask(1_000), looks]).toEqual([new Set([200]), 3]);
});

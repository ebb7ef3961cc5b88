import { runHttpConformance } from "@tm/run-events-conformance/http";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { ADA, BOB, createClient } from "./client.ts";
import { openStream } from "./open-stream.ts";
import type { RecipeProcess } from "./recipe-process.ts";

const ORIGIN = "https://app.example";
const FOREIGN = "https://evil.example";
/** Bounds a hang. */
const PATIENCE = { timeout: 30_000 };
const KIT_MS = 180_000;

/** Cases of the kit about paths that a host has for itself, without their clause. */
const OF_ANY_HOST = [
  "an unknown path is 404",
  "/openapi.json is OpenAPI 3.1 and has every path and method of runs, for anyone",
];

/** How one framework's recipe is tried. */
export interface RecipeTrial {
  readonly start: () => Promise<RecipeProcess>;
  /** A header that the framework's middleware puts on every answer. */
  readonly header: readonly [name: string, value: string];
  /** Whether its compressor sees the handler's own answers. */
  readonly compressesPages: boolean;
  /** How it exits after SIGTERM. */
  readonly exitCode: number;
  /** Cases of the kit about requests that the framework answers itself, in addition to `OF_ANY_HOST`. */
  readonly ofThisHost: readonly string[];
}

/** A recipe under trial, once it has been started, and a client of it. */
interface Tried {
  readonly trial: RecipeTrial;
  readonly url: () => string;
  readonly client: ReturnType<typeof createClient>;
}

/** The tests of a recipe for any framework, with the usual middleware on. */
export function describeRecipe(name: string, trial: RecipeTrial): void {
  describe(`the recipe for ${name}`, () => {
    let recipe: RecipeProcess;
    beforeAll(async () => void (recipe = await trial.start()));
    afterAll(() => recipe.end("SIGKILL"));
    const url = (): string => recipe.url;
    const tried: Tried = { trial, url, client: createClient(url) };

    testEvents(tried);
    testSessions(tried);
    testMiddleware(tried);
    testOrigins(tried);
    testLetGo(tried);
    it(
      "the recipe passes the HTTP kit, but for what the framework answers itself",
      { timeout: KIT_MS },
      async () => {
        const cases = runHttpConformance({
          name,
          baseUrl: url(),
          tokens: [ADA, BOB],
          cookieFor: tried.client.signIn,
          profile: "quick",
        });
        const failed: string[] = [];
        const left = new Set([...OF_ANY_HOST, ...trial.ofThisHost]);
        for (const { name, clause, run } of cases) {
          if (!left.delete(name.slice(clause.length + 1)))
            await run().catch((error: Error) => failed.push(error.message));
        }
        expect([...left]).toEqual([]);
        expect(failed).toEqual([]);
      },
    );

    it("W27: after SIGTERM the recipe ends its streams as draining, and exits", async () => {
      const path = await tried.client.createRun();
      const stream = await openStream(`${url()}${path}/stream`, {
        cookie: await tried.client.signIn(),
      });
      await stream.until("connected");
      const gone = recipe.end("SIGTERM");
      expect((await stream.until("error")).frame).toMatchObject({ code: "draining" });
      await stream.ended();
      expect(await gone).toBe(trial.exitCode);
    });

    testDraining(tried);
  });
}

function testEvents({ url, client: { append, call, createRun, signIn } }: Tried): void {
  it("W1, W9: payloads come back token for token", async () => {
    const path = await createRun();
    const payload = '{"price":1.50,"id":12345678901234567890,"e":1E2}';
    expect((await append(path, `{"eventType":"NOTE","payload":${payload}}`)).status).toBe(201);
    expect(await (await call("GET", `${path}/events`)).text()).toContain(payload);
    const stream = await openStream(`${url()}${path}/stream`, { cookie: await signIn() });
    expect((await stream.until("run_event")).data).toContain(payload);
  });

  it("W9, W15: a body of four megabytes is accepted, and comes back", async () => {
    const path = await createRun();
    const payloads = Array.from({ length: 15 }, (_, index) => `${index}`.repeat(100_000));
    const events = payloads.map((payload) => ({ eventType: "NOTE", payload }));
    expect((await call("POST", `${path}/events`, { body: { events } })).status).toBe(201);
    const page = await (await call("GET", `${path}/events`)).json();
    expect(page).toMatchObject({ events: payloads.map((payload) => ({ payload })) });
  });

  it("W21: each event is streamed as it is appended, uncompressed even to clients that accept compressed answers", async () => {
    const path = await createRun();
    const stream = await openStream(`${url()}${path}/stream`, { cookie: await signIn() });
    expect(stream.headers.get("content-encoding")).toBe(null);
    await stream.until("connected");
    for (const sequence of [1, 2, 3]) {
      // Each frame is read before the next append: nothing on the way waits for more.
      await append(path, '{"eventType":"NOTE"}');
      expect((await stream.until("run_event")).frame.event).toMatchObject({ sequence });
    }
  });

  it("W20: a reconnect with Last-Event-ID goes on after it", async () => {
    const path = await createRun();
    await append(path, '{"eventType":"A"},{"eventType":"B"},{"eventType":"C"}');
    const headers = { cookie: await signIn(), "last-event-id": "2" };
    const stream = await openStream(`${url()}${path}/stream`, headers);
    expect((await stream.until("run_event")).frame.event).toMatchObject({ sequence: 3 });
  });

  it("W13: a run that is cancelled ends its stream and its polls", async () => {
    const path = await createRun();
    const stream = await openStream(`${url()}${path}/stream`, { cookie: await signIn() });
    await stream.until("connected");
    expect((await call("POST", `${path}/cancel`)).status).toBe(200);
    expect((await stream.until("run_finished")).frame).toMatchObject({ runStatus: "cancelled" });
    await stream.ended();
    const page = await (await call("GET", `${path}/events`)).json();
    expect(page).toMatchObject({ runStatus: "cancelled" });
  });

  it("W3: the `type` of a problem leads to its explanation", async () => {
    const problem: unknown = await (await call("GET", "/v1/agent-runs/no-such-run")).json();
    expect(problem).toMatchObject({ code: "not_found", type: "/v1/errors/not_found" });
    const page = await fetch(`${url()}/v1/errors/not_found`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("not_found")]);
  });
}

function testSessions({ client: { call, createRun, signIn } }: Tried): void {
  it("W4, W19: a request without a credential is 401, so is a token on the stream, and another user gets 404", async () => {
    const path = await createRun();
    const statusOf = async (path: string, headers: Record<string, string>): Promise<number> =>
      (await call("GET", path, { headers })).status;
    for (const leaf of ["", "/events", "/stream"])
      expect([leaf, await statusOf(path + leaf, {})]).toEqual([leaf, 401]);
    expect((await call("GET", `${path}/stream`)).status).toBe(401);
    const stranger = await signIn(BOB);
    for (const leaf of ["", "/events", "/stream"])
      expect([leaf, await statusOf(path + leaf, { cookie: stranger })]).toEqual([leaf, 404]);
  });

  it("a sign-in opens a new session: an earlier cookie, which an attacker may have set, does not get it", async () => {
    const path = await createRun();
    const before = await signIn(BOB);
    const headers = { cookie: before, authorization: `Bearer ${ADA}` };
    expect((await call("POST", "/session", { headers })).status).toBe(204);
    expect((await call("GET", path, { headers: { cookie: before } })).status).not.toBe(200);
    expect((await call("GET", path, { headers: { cookie: await signIn() } })).status).toBe(200);
  });
}

function testMiddleware({ trial, url, client: { append, call, createRun, signIn } }: Tried): void {
  it("the app's own paths are parsed and compressed as before, and pages as the recipe declares", async () => {
    const headers = { "accept-encoding": "gzip" };
    const body = { text: "own ".repeat(1_000) };
    const echo = await call("POST", "/echo", { body, headers });
    expect(echo.headers.get("content-encoding")).toBe("gzip");
    expect(await echo.json()).toEqual(body);
    const path = await createRun();
    await append(path, `{"eventType":"NOTE","payload":"${"a".repeat(4_000)}"}`);
    const page = await call("GET", `${path}/events`, {
      headers: { ...headers, authorization: `Bearer ${ADA}` },
    });
    expect(page.headers.get("content-encoding")).toBe(trial.compressesPages ? "gzip" : null);
  });

  it("the middleware's header is on pages and streams", async () => {
    const path = await createRun();
    const stream = await openStream(`${url()}${path}/stream`, { cookie: await signIn() });
    const page = await call("GET", `${path}/events`);
    const [name, value] = trial.header;
    expect(page.headers.get(name)).toContain(value);
    expect(stream.headers.get(name)).toContain(value);
  });
}

function testOrigins({ url, client: { call, createRun, signIn } }: Tried): void {
  it("W5, W19: pages of a listed origin may read, change and follow by session; pages of others may not", async () => {
    const path = await createRun();
    const cookie = await signIn();
    const body = { events: [{ eventType: "NOTE" }] };
    for (const [origin, status] of [
      [ORIGIN, 201],
      [FOREIGN, 403],
    ] as const) {
      const readable = status === 201 ? origin : null;
      const asked = await call("OPTIONS", `${path}/events`, {
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
        },
      });
      expect(asked.headers.get("access-control-allow-origin")).toBe(readable);
      if (status === 201) expect(asked.status).toBe(204);
      const sent = await call("POST", `${path}/events`, { body, headers: { cookie, origin } });
      expect(sent.status).toBe(status);
      expect(sent.headers.get("access-control-allow-origin")).toBe(readable);
    }
    const stream = await openStream(`${url()}${path}/stream`, { cookie, origin: ORIGIN });
    expect(stream.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(stream.headers.get("access-control-allow-credentials")).toBe("true");
  });

  it.each([
    ["POST", "/events"],
    ["DELETE", ""],
  ])(
    "W5, W10, W14: a page of an origin on the list may send %s%s, with a key",
    async (method, leaf) => {
      const asked = await call("OPTIONS", `/v1/agent-runs/r${leaf}`, {
        headers: {
          origin: ORIGIN,
          "access-control-request-method": method,
          "access-control-request-headers": "content-type,idempotency-key",
        },
      });
      const listOf = (name: string): readonly string[] =>
        (asked.headers.get(`access-control-allow-${name}`) ?? "").toLowerCase().split(/, */);
      expect(listOf("methods")).toContain(method.toLowerCase());
      expect(listOf("headers")).toEqual(
        expect.arrayContaining(["content-type", "idempotency-key"]),
      );
    },
  );
}

function testLetGo({ url, client: { createRun, signIn } }: Tried): void {
  it("W25: the stream of a client that leaves is closed", async () => {
    const path = await createRun();
    const cookie = await signIn();
    const open = async (): Promise<string> =>
      (await (await openStream(`${url()}${path}/stream`, { cookie })).until("connected", "error"))
        .frame.type;
    const streams = await Promise.all(
      Array.from({ length: 32 }, () => openStream(`${url()}${path}/stream`, { cookie })),
    );
    await Promise.all(streams.map((stream) => stream.until("connected")));
    // It has as many as it may have (W28).
    expect(await open()).toBe("error");
    for (const stream of streams) stream.leave();
    await vi.waitFor(async () => expect(await open()).toBe("connected"), PATIENCE);
  });
}

function testDraining({ trial }: Tried): void {
  it("W24, W27: during a shutdown readers that come back get draining, and the recipe exits though they keep coming", async () => {
    const going = await trial.start();
    onTestFinished(async () => void (await going.end("SIGKILL")));
    const { call, createRun, signIn } = createClient(() => going.url);
    const path = `${await createRun()}/stream`;
    const headers = { cookie: await signIn() };
    // They end one after the other.
    const streams = await Promise.all(
      Array.from({ length: 8 }, () => openStream(going.url + path, headers)),
    );
    await Promise.all(streams.map((stream) => stream.until("connected")));
    const gone = going.end("SIGTERM");
    await Promise.race(streams.map((stream) => stream.ended()));
    // A connection is kept and used again at once: the loop ends when one is closed or refused.
    let refused = false;
    const refuse = (): null => ((refused = true), null);
    while (!refused) {
      const answer = await call("GET", path, { headers }).catch(refuse);
      if (answer === null) break;
      expect(answer.status).toBe(200);
      expect(await answer.text().catch(refuse)).toMatch(/"draining"|"store_unavailable"/);
    }
    expect(await gone).toBe(trial.exitCode);
  });
}

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ADA, BOB, createClient } from "./client.ts";
import { openStream } from "./open-stream.ts";
import { describeHost, type HostTrial } from "./probe/describe-host.ts";
import type { RecipeProcess } from "./recipe-process.ts";

/** A recipe of one framework with the usual middleware, as its tests need it. */
export interface RecipeTrial extends HostTrial {
  /** A header that the framework's middleware puts on every answer. */
  readonly header: readonly [name: string, value: string];
}

/** A recipe under trial, once it has been started, and a client of it. */
interface Tried {
  readonly trial: RecipeTrial;
  readonly url: () => string;
  readonly client: ReturnType<typeof createClient>;
}

/** The probe of a recipe, and tests of the middleware. */
export function describeRecipe(trial: RecipeTrial): void {
  const { name } = trial;
  describeHost(trial);
  describe(`the recipe for ${name}`, () => {
    let recipe: RecipeProcess;
    beforeAll(async () => void (recipe = await trial.start()));
    afterAll(() => recipe.end("SIGKILL"));
    const url = (): string => recipe.url;
    const tried: Tried = { trial, url, client: createClient(url) };

    testProblems(tried);
    testSessions(tried);
    testMiddleware(tried);
    testDraining(tried);
  });
}

function testProblems({ url, client: { call } }: Tried): void {
  it("W3: the `type` of a problem leads to its explanation", async () => {
    const problem: unknown = await (await call("GET", "/v1/agent-runs/no-such-run")).json();
    expect(problem).toMatchObject({ code: "not_found", type: "/v1/errors/not_found" });
    const page = await fetch(`${url()}/v1/errors/not_found`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("not_found")]);
  });
}

function testSessions({ client: { call, createRun, signIn } }: Tried): void {
  it("a sign-in opens a new session: an earlier cookie, which an attacker may have set, does not get it", async () => {
    const path = await createRun();
    const before = await signIn(BOB);
    const headers = { cookie: before, authorization: `Bearer ${ADA}` };
    expect((await call("POST", "/session", { headers })).status).toBe(204);
    expect((await call("GET", path, { headers: { cookie: before } })).status).not.toBe(200);
    expect((await call("GET", path, { headers: { cookie: await signIn() } })).status).toBe(200);
  });
}

function testMiddleware({ trial, url, client: { call, createRun, signIn } }: Tried): void {
  it("the app's own paths are compressed as before", async () => {
    const headers = { "accept-encoding": "gzip" };
    const echo = await call("POST", "/echo", { body: { text: "own ".repeat(1_000) }, headers });
    expect(echo.headers.get("content-encoding")).toBe("gzip");
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
    expect(await gone).toBe(trial.exitCode ?? 0);
  });
}

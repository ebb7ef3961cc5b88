import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHandler, type Identity, openApiDocument } from "../src/index.ts";
import { createNodeHandler } from "../src/node.ts";
import { ADA } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { openRuns, serve } from "./harness/host.ts";
import { DOORS, openWorld } from "./harness/world.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const require = createRequire(import.meta.url);
/** The parts of Express that the test uses. Express has no types. */
const express = require("express") as () => Listener & { use(path: string, next: Listener): void };
const IDENTITY: Identity = { userId: "ada", credential: "session" };

/** Express with the handler under a path; its address. */
async function serveUnder(path: string, basePath?: string): Promise<string> {
  const runs = await openRuns();
  const handler = createNodeHandler({ runs, basePath, authenticate: () => IDENTITY });
  const app = express();
  app.use(path, (request, response) => handler.handle(request, response));
  return (await serve(app)).url;
}

async function createAt(url: string, runId: string): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify({ runId }) });
}

describe.each(DOORS)("%s", (door) => {
  it("W50: with a `basePath` each path of runs begins with it, and no longer with /v1/agent-runs", async () => {
    await using world = await openWorld(door, { basePath: "/api/runs/" });
    const created = await world.send(post("/api/runs", { runId: "r" }));
    expect([created.status, created.headers["location"]]).toEqual([201, "/api/runs/r"]);
    const appended = await world.send(post("/api/runs/r/events", { events: [{ eventType: "A" }] }));
    expect(appended.status).toBe(201);
    const page = await world.send({ path: "/api/runs/r/events?since=0", headers: ADA });
    expect(page.json()).toMatchObject({ events: [{ sequence: 1, eventType: "A" }] });
    const list = await world.send({ path: "/api/runs", headers: ADA });
    expect(list.json()).toMatchObject({ runs: [{ runId: "r" }] });
    for (const path of ["/api/runs/r/stream", "/api/runs/stream?runs=r:0"]) {
      const stream = await world.follow({ path, headers: { cookie: "session=ada" } });
      expect(stream.status).toBe(200);
      stream.leave();
    }
    const old = await world.send({ path: "/v1/agent-runs/r", headers: ADA });
    expect([old.status, old.json()["detail"]]).toEqual([
      404,
      expect.stringContaining("Expected /api/runs or a path below it"),
    ]);
    const below = await world.send({ path: "/api/runs/r/none", headers: ADA });
    expect(below.json()["detail"]).toContain("Expected /api/runs or a path below it that");
  });

  it("W3, W30, W50: the description has the paths of the handler; it and the pages of errors stay where they are", async () => {
    await using world = await openWorld(door, { basePath: "/api/runs" });
    const described = await world.send({ path: "/openapi.json" });
    expect(described.json()).toEqual(openApiDocument({ basePath: "/api/runs" }));
    const problem = (await world.send({ path: "/api/runs/none", headers: ADA })).json();
    expect(problem["type"]).toBe("/v1/errors/not_found");
    expect((await world.send({ path: String(problem["type"]) })).status).toBe(200);
  });
});

it("W50: at any base path a run is created, and read at its Location", async () => {
  const runs = await openRuns();
  const segment = fc.stringMatching(/^[a-z0-9_~-]{1,8}$/);
  const bases = fc.array(segment, { minLength: 1, maxLength: 3 }).map((all) => `/${all.join("/")}`);
  await fc.assert(
    fc.asyncProperty(bases, async (basePath) => {
      fc.pre(!/^\/v1(\/errors|$)/.test(basePath));
      const handler = createHandler({ runs, basePath, authenticate: () => IDENTITY });
      const ask = (path: string, init?: RequestInit): Promise<Response> =>
        handler.fetch(new Request(`http://localhost${path}`, init));
      const headers = { "content-type": "application/json" };
      const created = await ask(basePath, { method: "POST", headers, body: "{}" });
      const location = created.headers.get("location") ?? "";
      expect(location.startsWith(`${basePath}/`)).toBe(true);
      expect((await ask(location)).status).toBe(200);
      const { paths } = openApiDocument({ basePath }) as { readonly paths: object };
      expect(Object.keys(paths)).toContain(`${basePath}/{runId}/events`);
      expect(Object.keys(paths).filter((path) => path.includes("agent-runs"))).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

it.each(["/v1", "/v1/errors", "/v1/errors/internal", "/openapi.json", "/openapi.json/runs"])(
  "W50: %s is refused as a base path, since every handler answers a path there",
  async (basePath) => {
    const options = { runs: await openRuns(), basePath, authenticate: () => IDENTITY };
    expect(() => createHandler(options)).toThrow("Expected basePath to leave /");
    expect(() => createNodeHandler(options)).toThrow(TypeError);
    expect(() => openApiDocument({ basePath })).toThrow(TypeError);
  },
);

it("W50: a base path that is not a path is refused when the handler is made", async () => {
  const options = { runs: await openRuns(), basePath: "runs", authenticate: () => IDENTITY };
  expect(() => createHandler(options)).toThrow(
    'Expected basePath to be like /api/my-runs, got "runs".',
  );
});

describe("in Express", () => {
  it("W50: under `app.use(path, …)` the handler answers below that path", async () => {
    const url = await serveUnder("/api");
    expect((await createAt(`${url}/api/v1/agent-runs`, "s")).status).toBe(201);
    expect((await fetch(`${url}/api/v1/agent-runs/s`)).status).toBe(200);
    expect((await fetch(`${url}/api/v1/errors/not_found`)).status).toBe(200);
  });

  it.each([
    ["/api", "/api/v1/agent-runs"],
    ["/runs", "/runs"],
    ["/api/runs", "/api/runs"],
    ["/", "/api/runs"],
    ["/v1", "/v1/agent-runs"],
  ])(
    "W50: under app.use(%j) `basePath` %j is the path that clients send, and that Location has",
    async (mountPath, basePath) => {
      const url = (await serveUnder(mountPath, basePath)) + basePath;
      // These ids would be part of a path if the handler took what is left of it for the whole.
      for (const runId of ["s", "runs", "events", "api"]) {
        const created = await createAt(url, runId);
        expect([created.status, created.headers.get("location")]).toEqual([
          201,
          `${basePath}/${runId}`,
        ]);
        expect(await (await fetch(`${url}/${runId}`)).json()).toMatchObject({ runId });
        expect((await fetch(`${url}/${runId}/events`)).status).toBe(200);
      }
    },
  );

  it.each(["/api/runs", "/v1/agent-runs"])(
    "W50: under app.use(%j) a run has one address, and what the client sent is in the detail of the 404",
    async (path) => {
      const url = await serveUnder(path, path);
      await createAt(url + path, "r");
      expect((await fetch(`${url}${path}/r`)).status).toBe(200);
      const twice = await fetch(`${url}${path}${path}/r`);
      expect([twice.status, await twice.json()]).toEqual([
        404,
        expect.objectContaining({
          detail: expect.stringMatching(/^Expected .+ or a path below it .+, got ".+\/r"\.$/),
        }),
      ]);
    },
  );

  it("W50: a path that an app has rewritten is the path of the request", async () => {
    const runs = await openRuns();
    await runs.create({ ownerId: "ada", runId: "team-r" });
    const handler = createNodeHandler({ runs, authenticate: () => IDENTITY });
    const app = express();
    app.use("/v1", (request, response) => {
      request.url = (request.url ?? "").replace("/agent-runs/", "/agent-runs/team-");
      handler.handle(request, response);
    });
    const { url } = await serve(app);
    const answer = await fetch(`${url}/v1/agent-runs/r`);
    expect(await answer.json()).toMatchObject({ runId: "team-r" });
  });
});

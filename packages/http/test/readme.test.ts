import { execFile } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { countBlocks, openSnippets, readSnippets } from "./snippets.ts";

const SESSION = { cookie: "session=letmein" };
const BEARER = { authorization: "Bearer secret-of-ada" };

beforeEach(() => void vi.stubEnv("PORT", "0"));
afterEach(() => vi.unstubAllEnvs());

async function urlOf(server: Server): Promise<string> {
  if (!server.listening) await once(server, "listening");
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, "close");
}

/** Records and follows a run through the server that answers these requests. */
async function expectServed(
  ask: (path: string, init: RequestInit) => Promise<Response>,
): Promise<void> {
  const created = await ask("/v1/agent-runs", { method: "POST", headers: SESSION });
  expect(created.status).toBe(201);
  const path = created.headers.get("location") ?? "";
  const headers = { ...SESSION, "content-type": "application/json" };
  const body = '{"events":[{"eventType":"RUN_COMPLETED"}]}';
  expect((await ask(`${path}/events`, { method: "POST", headers, body })).status).toBe(201);
  expect(await (await ask(`${path}/events`, { headers: SESSION })).json()).toMatchObject({
    runStatus: "completed",
  });
  expect(await (await ask(`${path}/stream`, { headers: SESSION })).text()).toContain(
    '"type":"run_finished"',
  );
  expect((await ask(path, {})).status).toBe(401);
}

/** The address that a refused request's problem has. */
async function typeOfProblem(url: string): Promise<string> {
  const { type } = (await (await fetch(`${url}/v1/agent-runs`)).json()) as { type: string };
  return type;
}

it("README: every block of code is one that is run here", () => {
  expect([...readSnippets().keys()].toSorted()).toEqual([
    "authenticate.mjs",
    "express.mjs",
    "fetch.mjs",
    "node.mjs",
    "own-paths.mjs",
    "try.sh",
    "try.txt",
    "upkeep.mjs",
  ]);
  expect(countBlocks()).toBe(6);
});

it("README: node:http serves runs and one's own paths, and shuts down in order", async () => {
  await using snippets = await openSnippets();
  const { server, shutDown } = (await snippets.load("node.mjs")) as {
    server: Server;
    shutDown: () => unknown;
  };
  try {
    const url = await urlOf(server);
    expect(await (await fetch(`${url}/hello`)).text()).toBe("your own paths first");
    expect(await (await fetch(url + (await typeOfProblem(url)))).text()).toContain(
      "Code: unauthenticated",
    );
    await expectServed((path, init) => fetch(url + path, init));
    const list = await fetch(`${url}/v1/agent-runs`, { headers: BEARER });
    expect(await list.json()).toMatchObject({ runs: [{ ownerId: "ada" }] });
    const stopped = once(server, "close");
    expect(process.listeners("SIGTERM")).toContain(shutDown);
    await shutDown();
    await stopped;
  } finally {
    process.off("SIGTERM", shutDown);
    await close(server);
  }
});

it("README: the commands of node:http print what the page shows, but for the time", async () => {
  await using snippets = await openSnippets();
  const { server, shutDown } = (await snippets.load("node.mjs")) as {
    server: Server;
    shutDown: () => unknown;
  };
  try {
    const shown = readSnippets();
    const script = shown.get("try.sh")?.replace("http://localhost:8080", await urlOf(server)) ?? "";
    const { stdout } = await promisify(execFile)("sh", ["-c", script]);
    const withoutTimes = (text = ""): string => text.replaceAll(/\d{4}-[\d-]+T[\d:.]+Z/g, "TIME");
    expect(withoutTimes(stdout)).toBe(withoutTimes(shown.get("try.txt")));
  } finally {
    process.off("SIGTERM", shutDown);
    await close(server);
  }
});

/** The status and the text of the page about `unauthenticated`. */
const EXPLAINED = [200, expect.stringContaining("Code: unauthenticated")];

it("README: Express serves runs before its body parser, and its own paths around them", async () => {
  await using snippets = await openSnippets();
  const { server } = (await snippets.load("express.mjs")) as { server: Server };
  try {
    const url = await urlOf(server);
    await expectServed((path, init) => fetch(url + path, init));
    expect(await (await fetch(`${url}/hello`)).text()).toBe("hello");
    const explained = await fetch(url + (await typeOfProblem(url)));
    expect([explained.status, await explained.text()]).toEqual(EXPLAINED);
    const headers = { "content-type": "application/json" };
    const echo = await fetch(`${url}/echo`, { method: "POST", headers, body: '{"a":1}' });
    expect(await echo.json()).toEqual({ a: 1 });
  } finally {
    await close(server);
  }
});

it("README: a framework of Request and Response serves runs", async () => {
  await using snippets = await openSnippets();
  const { default: app } = (await snippets.load("fetch.mjs")) as {
    default: { fetch(request: Request): Promise<Response> };
  };
  await expectServed(async (path, init) => app.fetch(new Request(`http://localhost${path}`, init)));
  const explained = await app.fetch(new Request("http://localhost/v1/errors/unauthenticated"));
  expect([explained.status, await explained.text()]).toEqual(EXPLAINED);
  const head = new Request("http://localhost/v1/agent-runs", { method: "HEAD", headers: SESSION });
  expect((await app.fetch(head)).status).toBe(200);
});

it("README: a path of one's own refuses pages of other origins", async () => {
  await using snippets = await openSnippets();
  const { signOut } = (await snippets.load("own-paths.mjs")) as {
    signOut(request: Request): Response;
  };
  const ask = (origin: string): Response =>
    signOut(new Request("http://localhost/v1/session", { method: "DELETE", headers: { origin } }));
  expect(ask("https://app.example").status).toBe(204);
  const refused = ask("https://evil.example");
  expect([refused.status, await refused.json()]).toMatchObject([
    403,
    { code: "cross_site_request" },
  ]);
});

it("README: upkeep ends runs that were abandoned and removes old ones, however many", async () => {
  await using snippets = await openSnippets();
  const { endAbandoned, removeOld } = (await snippets.load("upkeep.mjs")) as {
    endAbandoned(runs: RunEvents): Promise<void>;
    removeOld(runs: RunEvents, days: number): Promise<void>;
  };
  let nowMs = Date.now();
  const runs = createRunEvents({ store: createMemoryStore({ now: () => nowMs }) });
  for (let at = 0; at < 250; at++) {
    const { runId } = await runs.create({ ownerId: "ada" });
    await runs.as("ada").claim(runId, { leaseMs: 1_000 });
  }
  nowMs += 61_000;
  // Otherwise the program's first check would wait, since its clock has just jumped.
  await endAbandoned({ ...runs, reap: (which) => runs.reap({ ...which, confirmMs: 0 }) });
  const listed = async (status: "failed" | "running"): Promise<number> =>
    (await runs.list({ ownerId: "ada", status, limit: 300 })).runs.length;
  expect([await listed("failed"), await listed("running")]).toEqual([250, 0]);
  nowMs += 10 * 86_400_000;
  await removeOld(runs, 11);
  expect(await listed("failed")).toBe(250);
  await removeOld(runs, 9);
  expect(await listed("failed")).toBe(0);
  await runs.close();
});

import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { workRun } from "@tm/run-events-client/work";
import { expect, it, onTestFinished } from "vitest";
import { createRun, readLog } from "../api.ts";
import { aborted, failureOf } from "../failure-of.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { json, startScriptedServer } from "../scripted-server.ts";
import { startServer } from "../start-server.ts";

const CREDENTIAL = { bearer: "ada" } as const;

async function makeTempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-client-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it("S21, W10: a server that crashes and comes back costs a worker nothing, and nothing lands twice", async () => {
  const file = join(await makeTempFolder(), "runs.db");
  let server = await startServer(file);
  onTestFinished(() => server.close());
  const { port } = server;
  const runId = await createRun(port);
  const baseUrl = `http://127.0.0.1:${port}`;
  let given = 0;
  await workRun({ runId, baseUrl, credential: CREDENTIAL, leaseMs: 60_000 }, async (run) => {
    for (let crashes = 0; crashes < 3; crashes++) {
      for (let at = 0; at < 100; at++) void run.emit("TOKEN", given++);
      const landed = run.append([{ eventType: "STEP", payload: given++ }]);
      await server.crash();
      void run.emit("TOKEN", given++);
      server = await startServer(file, port);
      await landed;
    }
  });
  const log = await readLog(port, runId);
  expect(log.map(([, payload]) => payload)).toEqual([
    ...Array.from({ length: given }, (_, at) => at),
    null,
  ]);
  expect(log.at(-1)?.[0]).toBe("RUN_COMPLETED");
});

it.each<readonly [string, (response: ServerResponse) => unknown]>([
  ["is cut", (response) => response.destroy()],
  ["is a 502 of a proxy", (response) => response.writeHead(502).end("<html>")],
  ["is 503", (response) => json(response, 503, { code: "store_unavailable" })],
  ["is another program's", (response) => json(response, 200, {})],
])("W31: a claim whose answer %s finds the lease that it got, under its key", async (_, lose) => {
  const server = await startServer();
  const { port } = server;
  onTestFinished(() => server.close());
  const runId = await createRun(port);
  const keys: unknown[] = [];
  async function passOn(
    response: ServerResponse,
    index: number,
    request: IncomingMessage,
  ): Promise<void> {
    const { method = "GET", headers, url = "" } = request;
    if (url.endsWith("/claim") && method === "POST") keys.push(headers["idempotency-key"]);
    const answer = await fetch(`http://127.0.0.1:${port}${url}`, {
      method,
      headers: headers as Record<string, string>,
      ...(method === "GET" ? {} : { body: await text(request) }),
    });
    const body = await answer.text();
    if (index < 2) lose(response);
    else response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  }
  const { baseUrl } = await startScriptedServer((...exchange) => void passOn(...exchange));
  const options = { runId, baseUrl, credential: CREDENTIAL, leaseMs: 60_000 };
  expect(await workRun(options, () => "done")).toBe("done");
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[ -~]{16,128}$/);
  expect(await readLog(port, runId)).toEqual([["RUN_COMPLETED", "done"]]);
});

it("W31: a claim without any answer is given up within a third of its lease, in doubt", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
  const options = { runId: "r", baseUrl, credential: CREDENTIAL, leaseMs: 3_000 };
  expect(await failureOf(workRun(options, () => {}))).toMatchObject({
    code: "store_unavailable",
    retryable: true,
    ambiguous: true,
  });
  expect(new Set(requests)).toEqual(new Set(["r/claim"]));
});

it("W31: two claims of one run have two keys", async () => {
  const keys: unknown[] = [];
  const { baseUrl } = await startScriptedServer((response, _, { headers }) => {
    keys.push(headers["idempotency-key"]);
    json(response, 409, { code: "claimed" });
  });
  const options = { runId: "r", baseUrl, credential: CREDENTIAL, leaseMs: 1_000 };
  for (let works = 0; works < 2; works++) await failureOf(workRun(options, () => {}));
  expect(new Set(keys).size).toBe(2);
});

it("W31: a claimed run that cannot be read is released", async () => {
  const asked: unknown[] = [];
  const { baseUrl } = await startScriptedServer((response, _, { method, url = "" }) => {
    asked.push(`${method} ${url.replace("/v1/agent-runs/", "")}`);
    if (method === "POST") json(response, 200, { fence: 7, expiresAt: "" });
    else if (method === "GET") json(response, 500, { code: "internal" });
    else response.writeHead(204).end();
  });
  const options = { runId: "r", baseUrl, credential: CREDENTIAL, leaseMs: 1_000 };
  expect(await failureOf(workRun(options, () => {}))).toMatchObject({ code: "internal" });
  expect([asked[0], ...new Set(asked.slice(1))]).toEqual([
    "POST r/claim",
    "GET r",
    "DELETE r/claim",
  ]);
});

it("S21, W3: a proxy's 404 ends neither the work nor the lease", async () => {
  let renewals = 0;
  let appends = 0;
  const { baseUrl } = await startScriptedServer((response, _, { method, url = "" }) => {
    if (method === "PUT" && renewals++ > 0) json(response, 200, { fence: 1, expiresAt: "" });
    else if (method === "PUT" || url.includes("wait=")) response.writeHead(404).end("<html>");
    else if (url.endsWith("/events") && appends++ === 0) response.writeHead(404).end("<html>");
    else if (url.endsWith("/events"))
      json(response, 200, { firstSequence: 1, lastSequence: 1, runStatus: "completed" });
    else json(response, 200, { fence: 1, expiresAt: "", lastSequence: 0, runStatus: "queued" });
  });
  const options = { runId: "r", baseUrl, credential: CREDENTIAL, leaseMs: 1_000 };
  await workRun(options, async () => {
    await expect.poll(() => renewals).toBeGreaterThan(1);
  });
  expect(appends).toBe(2);
});

it("W13, W3: a poll still finds a cancel after another poll was refused", async () => {
  let polls = 0;
  const { baseUrl } = await startScriptedServer((response, _, { url = "" }) => {
    if (url.includes("wait=") && polls++ === 0) json(response, 401, { code: "unauthenticated" });
    else {
      const runStatus = url.includes("wait=") ? "cancelled" : "queued";
      const answer = { fence: 1, expiresAt: "", lastSequence: 0, runStatus };
      json(response, 200, { ...answer, events: [] });
    }
  });
  const options = { runId: "r", baseUrl, credential: CREDENTIAL, leaseMs: 3_600_000 };
  const work = async (): Promise<unknown> =>
    failureOf(workRun(options, async ({ signal }) => aborted(signal)));
  expect(await onFastClock(work)).toMatchObject({ code: "run_finished" });
});

it("S20: an append that the server never takes fails the run, even while the lease is renewed", async () => {
  const bodies: string[] = [];
  const { baseUrl } = await startScriptedServer((response, _, request) => {
    void text(request).then((body) => {
      const { url = "" } = request;
      if (url.includes("wait=")) return;
      if (url.endsWith("/events")) bodies.push(body);
      if (body.includes('"STEP"')) json(response, 500, { code: "internal" });
      else if (url.endsWith("/events"))
        json(response, 200, { firstSequence: 1, lastSequence: 1, runStatus: "failed" });
      else json(response, 200, { fence: 1, expiresAt: "", lastSequence: 0, runStatus: "queued" });
    });
  });
  const options = { runId: "r", baseUrl, credential: CREDENTIAL, leaseMs: 60_000 };
  const work = async (): Promise<unknown> =>
    failureOf(workRun(options, async (run) => run.append([{ eventType: "STEP" }])));
  expect(await onFastClock(work)).toMatchObject({ code: "internal", ambiguous: true });
  expect(bodies.at(-1)).toContain("RUN_FAILED");
});

import { workRun, type WorkRunOptions } from "@tm/run-events-client/work";
import { beforeAll, describe, expect, it } from "vitest";
import { createRun, post, readLog, takeOver } from "../api.ts";
import { aborted, failureOf } from "../failure-of.ts";
import { startFaultProxy } from "../fault-proxy.ts";
import { json, startScriptedServer } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";

const FENCED = { name: "RunEventsError", code: "fenced" };

const server = useServer();
/** A lease that is not renewed within a test. */
let ada: Omit<WorkRunOptions, "runId">;
beforeAll(() => {
  ada = { baseUrl: server.baseUrl, credential: { bearer: "ada" }, leaseMs: 3_600_000 };
});

describe("a cancel", () => {
  function cancelled(lastSequence: number): object {
    return { code: "run_finished", details: { runStatus: "cancelled", lastSequence } };
  }

  it("W13: a cancel reaches a worker that is quiet from the start, and its work rejects", async () => {
    const runId = await createRun(server.port);
    let reason: unknown;
    const work = workRun({ ...ada, runId }, async ({ signal }) => {
      await post(server.port, `/${runId}/cancel`, {});
      await aborted(signal);
      ({ reason } = signal);
    });
    const error = await failureOf(work);
    expect(error).toMatchObject(cancelled(1));
    expect(reason).toBe(error);
  });

  it("S12: a worker that writes all the time polls for a cancel at little cost", async () => {
    const runId = await createRun(server.port);
    const asked = { GET: 0, POST: 0 };
    const fetch: typeof globalThis.fetch = async (url, init) => {
      const method = init?.method ?? "GET";
      if (method in asked) asked[method as keyof typeof asked] += 1;
      return globalThis.fetch(url, init);
    };
    await workRun({ ...ada, runId, fetch }, async (run) => {
      for (let step = 0; step < 500; step++) await run.append([{ eventType: "STEP" }]);
    });
    expect(asked.POST).toBe(502);
    expect(asked.GET).toBeLessThan(20);
  });
});

describe("a lost lease", () => {
  it("W31, W32: a worker without a server loses its expired lease, and another worker continues", async () => {
    const runId = await createRun(server.port);
    const way = await startFaultProxy(server.port, []);
    const late: unknown[] = [];
    const baseUrl = `http://127.0.0.1:${way.port}`;
    const work = workRun({ ...ada, runId, baseUrl, leaseMs: 1_000 }, async (run) => {
      await run.append([{ eventType: "MINE" }]);
      way.close();
      const append = await takeOver(server.port, runId);
      expect((await append("THEIRS")).status).toBe(201);
      await aborted(run.signal);
      late.push(run.signal.reason);
      late.push(await failureOf(run.append([{ eventType: "MINE" }])));
      late.push(await failureOf(run.emit("MINE")));
    });
    expect([await failureOf(work), ...late]).toMatchObject([FENCED, FENCED, FENCED, FENCED]);
    expect(await readLog(server.port, runId)).toEqual([
      ["MINE", null],
      ["THEIRS", null],
    ]);
  });

  it("W32: an append that is sent again after a lost lease is given up, in doubt", async () => {
    const runId = await createRun(server.port);
    const way = await startFaultProxy(server.port, []);
    let unsure: unknown;
    const baseUrl = `http://127.0.0.1:${way.port}`;
    const work = workRun({ ...ada, runId, baseUrl, leaseMs: 1_000 }, async (run) => {
      way.close();
      unsure = await failureOf(run.append([{ eventType: "MINE" }]));
    });
    expect(await failureOf(work)).toMatchObject(FENCED);
    expect(unsure).toMatchObject({ code: "store_unavailable", ambiguous: true });
  });

  it.each([
    ["fenced", { code: "fenced" }],
    ["run_finished", { code: "run_finished", runStatus: "failed", lastSequence: 7 }],
    ["not_found", { code: "not_found" }],
  ] as const)(
    "W31: a renewal that is refused as %s aborts the signal with that error",
    async (code, problem) => {
      const { baseUrl } = await startScriptedServer((response, _, { method, url = "" }) => {
        if (method === "POST") json(response, 200, { fence: 1, expiresAt: "" });
        else if (method === "PUT") json(response, code === "not_found" ? 404 : 409, problem);
        else if (!url.includes("/events"))
          json(response, 200, { lastSequence: 6, runStatus: "running" });
      });
      const work = workRun({ ...ada, runId: "r", baseUrl, leaseMs: 1_000 }, async ({ signal }) =>
        aborted(signal),
      );
      const { code: _, ...details } = problem;
      expect(await failureOf(work)).toMatchObject({ code, details });
    },
  );
});

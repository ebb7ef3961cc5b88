import { RunEventsError } from "@tm/run-events-core";
import { workRun, type WorkRunOptions } from "@tm/run-events-client/work";
import { beforeAll, describe, expect, it } from "vitest";
import { createRun, readLog, takeOver } from "../api.ts";
import { aborted, failureOf } from "../failure-of.ts";
import { useServer } from "../use-server.ts";

const server = useServer();
let ada: Omit<WorkRunOptions, "runId">;
beforeAll(() => {
  ada = { baseUrl: server.baseUrl, credential: { bearer: "ada" }, leaseMs: 60_000 };
});

describe("a task that is done", () => {
  it("W31, W32: a task claims its run, writes it in order, and ends it with what it returns", async () => {
    const runId = await createRun(server.port);
    const value = await workRun({ ...ada, runId }, async (run) => {
      expect(run).toMatchObject({ runId, fence: expect.any(Number), lastSequence: 0 });
      void run.emit("TOKEN", 1);
      void run.append([{ eventType: "STEP", payload: { n: 2 } }, { eventType: "STEP" }]);
      void run.emit("TOKEN", "é\u2028\ud800");
      const { currentPhase } = await run.phase("late");
      void run.emit("TOKEN", 4);
      return { currentPhase };
    });
    expect(value).toEqual({ currentPhase: "late" });
    expect(await readLog(server.port, runId)).toEqual([
      ["TOKEN", 1],
      ["STEP", { n: 2 }],
      ["STEP", null],
      ["TOKEN", "é\u2028\ud800"],
      ["PHASE_STARTED", { phase: "late" }],
      ["TOKEN", 4],
      ["RUN_COMPLETED", { currentPhase: "late" }],
    ]);
  });

  it("W10, W11: a task's append takes a key and an expected sequence", async () => {
    const runId = await createRun(server.port);
    await workRun({ ...ada, runId }, async (run) => {
      const step = [{ eventType: "STEP" }];
      const first = await run.append(step, { idempotencyKey: "a", expectedSequence: 0 });
      expect(await run.append(step, { idempotencyKey: "a" })).toEqual({ ...first, replayed: true });
      expect(await failureOf(run.append(step, { expectedSequence: 0 }))).toMatchObject({
        code: "sequence_conflict",
        details: { lastSequence: 1 },
      });
      expect(run.signal.aborted).toBe(false);
    });
  });

  it("W6: a task sends any event type unchanged, and the server refuses an invalid one", async () => {
    const runId = await createRun(server.port);
    const eventType = 'STEP","payload":null},{"eventType":"RUN_FAILED';
    await workRun({ ...ada, runId }, async (run) => {
      expect(await failureOf(run.append([{ eventType }]))).toMatchObject({ code: "invalid_event" });
    });
    expect(await readLog(server.port, runId)).toEqual([["RUN_COMPLETED", null]]);
  });

  it("a task keeps its lease as long as it runs", async () => {
    const runId = await createRun(server.port);
    let renewals = 0;
    const enough = Promise.withResolvers<void>();
    const fetch: typeof globalThis.fetch = async (url, init) => {
      const response = await globalThis.fetch(url, init);
      if (init?.method === "PUT" && response.ok && ++renewals === 5) enough.resolve();
      return response;
    };
    await workRun({ ...ada, runId, leaseMs: 1_000, fetch }, async ({ signal }) => {
      await Promise.race([enough.promise, aborted(signal)]);
      signal.throwIfAborted();
    });
    expect(await readLog(server.port, runId)).toEqual([["RUN_COMPLETED", null]]);
  });
});

describe("a run that cannot be claimed", () => {
  async function refusalOf(options: Partial<WorkRunOptions>): Promise<unknown> {
    const runId = await createRun(server.port);
    await takeOver(server.port, runId);
    let calls = 0;
    const error = await failureOf(workRun({ ...ada, runId, ...options }, () => (calls += 1)));
    expect(calls).toBe(0);
    expect(error).toBeInstanceOf(RunEventsError);
    return error;
  }

  it("W31: a run of another worker is `claimed`, with the time when that lease expires", async () => {
    const expiresAt = expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) as string;
    expect(await refusalOf({})).toMatchObject({
      code: "claimed",
      details: { expiresAt },
      retryable: false,
      ambiguous: false,
    });
  });

  it("W3, W4: any other refusal of a claim keeps its code", async () => {
    expect(await refusalOf({ credential: { bearer: "bob" } })).toMatchObject({ code: "not_found" });
    expect(await refusalOf({ runId: "no/../run" })).toMatchObject({ code: "not_found" });
    expect(await refusalOf({ credential: { bearer: "-" } })).toMatchObject({
      code: "unauthenticated",
    });
    expect(await refusalOf({ leaseMs: 999 })).toMatchObject({ code: "invalid_request" });
    const runId = await createRun(server.port);
    await workRun({ ...ada, runId }, () => {});
    expect(await refusalOf({ runId })).toMatchObject({
      code: "run_finished",
      details: { runStatus: "completed", lastSequence: 1 },
    });
  });
});

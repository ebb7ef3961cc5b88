import { startRun } from "@tm/run-events-client";
import { describe, expect, it } from "vitest";
import { post, readLog } from "../api.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const ADA = { bearer: "ada" } as const;

describe("what is given lands in order", () => {
  it("W9: emitted events, batches and the end, none of them awaited", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    void run.emit("TOKEN", 1);
    void run.append([{ eventType: "STEP", payload: 2 }]);
    void run.emit("TOKEN", 3);
    const { runStatus } = await run.complete({ words: 4 });
    expect(runStatus).toBe("completed");
    expect(await readLog(server.port, run.runId)).toEqual([
      ["RUN_STARTED", null],
      ["TOKEN", 1],
      ["STEP", 2],
      ["TOKEN", 3],
      ["RUN_COMPLETED", { words: 4 }],
    ]);
  });

  it("W7: what is given behind the end is refused, and is not in front of it", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    const ended = run.fail("broken");
    const late = run.emit("TOKEN", 1).then(async () => run.flush());
    await ended;
    await expect(late).rejects.toMatchObject({ code: "run_finished" });
    expect(await readLog(server.port, run.runId)).toEqual([
      ["RUN_STARTED", null],
      ["RUN_FAILED", "broken"],
    ]);
  });

  it("a flush resolves once all is acknowledged", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    void run.emit("TOKEN", 1);
    await run.flush();
    expect(await readLog(server.port, run.runId)).toHaveLength(2);
    run.close();
  });
});

describe("who writes a run", () => {
  it("W8: one's own run is gone on with, and started once", async () => {
    const first = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    await first.append([{ eventType: "STEP" }]);
    const again = await startRun({ baseUrl: server.baseUrl, credential: ADA, runId: first.runId });
    await again.complete();
    const log = await readLog(server.port, first.runId);
    expect(log.map(([eventType]) => eventType)).toEqual(["RUN_STARTED", "STEP", "RUN_COMPLETED"]);
    first.close();
  });

  it("W3, W8: somebody else's id is `run_id_taken`, and nobody's credential is `unauthenticated`", async () => {
    const { runId } = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    await expect(
      startRun({ baseUrl: server.baseUrl, credential: { bearer: "bob" }, runId }),
    ).rejects.toMatchObject({ code: "run_id_taken" });
    await expect(
      startRun({ baseUrl: server.baseUrl, credential: { bearer: "x" } }),
    ).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });

  it("W11: an append that expects another sequence is refused alone", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    const refused = run.append([{ eventType: "STEP" }], { expectedSequence: 7 });
    const behind = run.append([{ eventType: "STEP" }], { expectedSequence: 1 });
    await expect(refused).rejects.toMatchObject({
      code: "sequence_conflict",
      details: { lastSequence: 1 },
    });
    expect(await behind).toMatchObject({ firstSequence: 2 });
    run.close();
  });

  it("W10: the caller's own key makes an append that is made again the same", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    const how = { idempotencyKey: "step-1" };
    const first = await run.append([{ eventType: "STEP" }], how);
    expect(await run.append([{ eventType: "STEP" }], how)).toEqual({ ...first, replayed: true });
    run.close();
  });
});

describe("the run is ended by somebody else", () => {
  it("W13: the signal of a quiet writer aborts, with the status then", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    const { signal } = run;
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    await post(server.port, `/${run.runId}/cancel`, {});
    await aborted;
    expect(signal.reason).toMatchObject({
      code: "run_finished",
      details: { runStatus: "cancelled" },
    });
  });

  it("W7, W13: the signal of a busy writer aborts, and its calls are refused as `run_finished`", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    const { signal } = run;
    await post(server.port, `/${run.runId}/cancel`, {});
    const refused = (async () => {
      for (;;) await run.append([{ eventType: "STEP" }]);
    })();
    await expect(refused).rejects.toMatchObject({ code: "run_finished" });
    expect(signal.reason).toMatchObject({
      code: "run_finished",
      details: { runStatus: "cancelled" },
    });
  });

  it("one's own end aborts nothing", async () => {
    for (const end of ["complete", "fail", "cancel"] as const) {
      const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
      const { signal } = run;
      await run[end]();
      await new Promise(setImmediate);
      expect(signal.aborted).toBe(false);
    }
  });
});

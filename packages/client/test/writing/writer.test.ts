import { startRun } from "@tm/run-events-client";
import { describe, expect, it } from "vitest";
import { post, readLog } from "../api.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const ADA = { bearer: "ada" } as const;

describe("events land in order", () => {
  it("W9: emitted events, batches and the end land in order without an await", async () => {
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

  it("W7: an event after the end is refused, and does not land before it", async () => {
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

  it("W41: tokens that wait together are one event, typed by the run's events", async () => {
    const run = await startRun<{ TOKEN: string; STEP: number }>({
      baseUrl: server.baseUrl,
      credential: ADA,
      merge: { TOKEN: (texts) => texts.join("") },
    });
    for (const token of ["a", "b", "c"]) void run.emit("TOKEN", token);
    void run.emit("STEP", 1);
    void run.emit("STEP", 2);
    void run.emit("TOKEN", "d");
    await run.complete();
    expect(await readLog(server.port, run.runId)).toEqual([
      ["RUN_STARTED", null],
      ["TOKEN", "abc"],
      ["STEP", 1],
      ["STEP", 2],
      ["TOKEN", "d"],
      ["RUN_COMPLETED", null],
    ]);
  });

  it("W41: a writer refuses a merge that is no function and a wait that is too long, before it asks the server", async () => {
    const fetch = (): never => expect.unreachable();
    const merge = { TOKEN: "concat" as unknown as () => string };
    await expect(startRun({ fetch, merge })).rejects.toThrow("merge.TOKEN");
    await expect(startRun({ fetch, mergeMs: 10_001 })).rejects.toThrow("mergeMs");
  });

  it("a flush resolves once all events are acknowledged", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    void run.emit("TOKEN", 1);
    await run.flush();
    expect(await readLog(server.port, run.runId)).toHaveLength(2);
    run.close();
  });
});

describe("the writer of a run", () => {
  it("W8: a writer continues the user's existing run, which is started once", async () => {
    const first = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    await first.append([{ eventType: "STEP" }]);
    const again = await startRun({ baseUrl: server.baseUrl, credential: ADA, runId: first.runId });
    await again.complete();
    const log = await readLog(server.port, first.runId);
    expect(log.map(([eventType]) => eventType)).toEqual(["RUN_STARTED", "STEP", "RUN_COMPLETED"]);
    first.close();
  });

  it("W11: an append that expects another sequence is refused alone", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    const refused = run.append([{ eventType: "STEP" }], { expectedSequence: 7 });
    const next = run.append([{ eventType: "STEP" }], { expectedSequence: 1 });
    await expect(refused).rejects.toMatchObject({
      code: "sequence_conflict",
      details: { lastSequence: 1 },
    });
    expect(await next).toMatchObject({ firstSequence: 2 });
    run.close();
  });

  it("W10: an append that is repeated under the caller's key lands once", async () => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    const how = { idempotencyKey: "step-1" };
    const first = await run.append([{ eventType: "STEP" }], how);
    expect(await run.append([{ eventType: "STEP" }], how)).toEqual({ ...first, replayed: true });
    run.close();
  });
});

describe("another program ends the run", () => {
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

  it("the writer's own end does not abort its signal", async () => {
    for (const end of ["complete", "fail", "cancel"] as const) {
      const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
      const { signal } = run;
      await run[end]();
      await new Promise(setImmediate);
      expect(signal.aborted).toBe(false);
    }
  });
});

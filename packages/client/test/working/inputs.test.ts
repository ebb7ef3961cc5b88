import { createClient } from "@tm/run-events-client/runs";
import { workRun, type WorkRunOptions } from "@tm/run-events-client/work";
import { beforeAll, describe, expect, it } from "vitest";
import { createRun, readLog } from "../api.ts";
import { failureOf } from "../failure-of.ts";
import { useServer } from "../use-server.ts";

const server = useServer();
let ada: Omit<WorkRunOptions, "runId">;
beforeAll(() => {
  ada = { baseUrl: server.baseUrl, credential: { bearer: "ada" }, leaseMs: 60_000 };
});

/** Resolves when the run waits for an input. */
async function untilWaiting(runId: string): Promise<void> {
  const runs = createClient(ada);
  await expect.poll(async () => (await runs.get(runId)).runStatus).toBe("waiting");
}

describe("a worker on a server, and its owner's input", () => {
  it("W39, W40: a question is answered through another client, while the worker keeps its run", async () => {
    const runId = await createRun(server.port);
    const runs = createClient(ada);
    const work = workRun({ ...ada, runId }, async (run) => {
      void run.emit("TOKEN", 1);
      const { payload } = await run.ask({ question: "?" });
      return payload;
    });
    await untilWaiting(runId);
    const key = { idempotencyKey: "k" };
    const receipt = await runs.input(runId, { yes: true }, key);
    expect(receipt).toMatchObject({ runStatus: "running", replayed: false, lastSequence: 3 });
    expect(await runs.input(runId, { yes: true }, key)).toEqual({ ...receipt, replayed: true });
    expect(await work).toEqual({ yes: true });
    expect((await readLog(server.port, runId)).map(([eventType]) => eventType)).toEqual([
      "TOKEN",
      "INPUT_REQUESTED",
      "INPUT_RECEIVED",
      "RUN_COMPLETED",
    ]);
    expect(await failureOf(runs.input(runId))).toMatchObject({ code: "run_finished" });
  });

  it("W40: a worker is steered while it writes, and gets each input once", async () => {
    const runId = await createRun(server.port);
    const runs = createClient(ada);
    await runs.input(runId, "before the claim");
    const got = await workRun({ ...ada, runId }, async (run) => {
      const all: unknown[] = [];
      await runs.input(runId, 0);
      for await (const { payload } of run.inputs()) {
        all.push(payload);
        if (payload === 2) return all;
        void run.emit("TOKEN", payload);
        await runs.input(runId, Number(payload) + 1);
      }
      return null;
    });
    expect(got).toEqual([0, 1, 2]);
  });

  it("W40: a question ends with the run, and an iteration too", async () => {
    const runId = await createRun(server.port);
    const ended: unknown[] = [];
    const work = workRun({ ...ada, runId }, async (run) => {
      void createClient(ada).cancel(runId);
      for await (const input of run.inputs()) ended.push(input);
      ended.push(await failureOf(run.ask("late")));
    });
    expect(await failureOf(work)).toMatchObject({ code: "run_finished" });
    expect(ended).toMatchObject([{ code: "run_finished" }]);
  });
});

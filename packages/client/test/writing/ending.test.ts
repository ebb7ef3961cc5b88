import { startRun } from "@tm/run-events-client";
import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { readLog } from "../api.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { json, startScriptedServer } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const ADA = { bearer: "ada" } as const;
/** A payload that the server refuses. @see clause W9 in `WIRE.md` */
const TOO_LARGE = "x".repeat(300_000);

it.each(["complete", "fail", "cancel"] as const)(
  "a writer's own %s is not an end by another program, even if a held poll shows it first",
  async (end) => {
    let held: ServerResponse | undefined;
    const { baseUrl, requests } = await startScriptedServer((response, index, request) => {
      if (index < 2)
        return json(response, 201, {
          firstSequence: index,
          lastSequence: index,
          runStatus: "running",
        });
      if (request.method === "GET") return void (held = response);
      held?.on("close", () => json(response, 200, update));
      const update = {
        runStatus: "completed",
        currentPhase: null,
        firstSequence: 2,
        lastSequence: 2,
        hasMore: false,
      };
      json(held as ServerResponse, 200, { events: [], ...update });
    });
    await onFastClock(async () => {
      const run = await startRun({ baseUrl, credential: ADA });
      const { signal } = run;
      while (held === undefined) await new Promise(setImmediate);
      expect(await run[end]()).toMatchObject({ lastSequence: 2 });
      expect(signal.aborted).toBe(false);
    });
    expect(requests).toHaveLength(4);
  },
);

it("W13: a cancel lands after all earlier events", async () => {
  const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
  const { signal } = run;
  void run.emit("TOKEN", 1);
  const appended = run.append([{ eventType: "STEP", payload: 2 }]);
  void run.emit("TOKEN", 3);
  expect(await run.cancel()).toMatchObject({ runStatus: "cancelled" });
  await appended;
  expect(await readLog(server.port, run.runId)).toEqual([
    ["RUN_STARTED", null],
    ["TOKEN", 1],
    ["STEP", 2],
    ["TOKEN", 3],
    ["RUN_CANCELLED", null],
  ]);
  expect(signal.aborted).toBe(false);
});

it.each(["fail", "cancel"] as const)(
  "a writer takes no more events after a refused one, and can be ended by %s",
  async (end) => {
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA });
    void run.emit("TOKEN", TOO_LARGE);
    await expect(run.flush()).rejects.toMatchObject({ code: "payload_too_large" });
    expect(run.signal.reason).toMatchObject({ code: "payload_too_large" });
    await expect(run.emit("TOKEN", 2)).rejects.toMatchObject({ code: "payload_too_large" });
    await expect(run.complete()).rejects.toMatchObject({ code: "payload_too_large" });
    await run[end]();
    const log = await readLog(server.port, run.runId);
    expect(log.map(([eventType]) => eventType)).toEqual([
      "RUN_STARTED",
      end === "fail" ? "RUN_FAILED" : "RUN_CANCELLED",
    ]);
  },
);

it("an emit after the end, or to a closed writer, is refused at once", async () => {
  const ended = await startRun({ baseUrl: server.baseUrl, credential: ADA });
  await ended.complete();
  await expect(ended.emit("TOKEN")).rejects.toMatchObject({ code: "run_finished" });
  const closed = await startRun({ baseUrl: server.baseUrl, credential: ADA });
  closed.close();
  const code = "store_unavailable";
  await expect(closed.emit("TOKEN")).rejects.toMatchObject({ code, retryable: false });
  await expect(closed.append([{ eventType: "STEP" }])).rejects.toMatchObject({ code });
  expect(closed.signal.aborted).toBe(false);
});

it("the signal of a quiet writer aborts soon, however much another writer has written", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, index, request) => {
    if (request.method === "POST")
      return json(response, 201, {
        firstSequence: index,
        lastSequence: index,
        runStatus: "running",
      });
    const event = { sequence: 2, eventType: "STEP", payload: null, createdAt: "2026-01-01" };
    const isLast = request.url?.includes("since=900") === true;
    const update = { runStatus: isLast ? "cancelled" : "running", currentPhase: null };
    json(response, 200, { events: isLast ? [] : [event], ...update, lastSequence: 900 });
  });
  await onFastClock(async () => {
    const { signal } = await startRun({ baseUrl, credential: ADA });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    expect(signal.reason).toMatchObject({ details: { runStatus: "cancelled" } });
  });
  expect(requests).toHaveLength(4);
});

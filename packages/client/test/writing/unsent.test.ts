import { startRun } from "@tm/run-events-client";
import { expect, it } from "vitest";
import { json, startScriptedServer } from "../scripted-server.ts";

/** The unhandled rejections until `work` is over. */
async function unhandledDuring(work: () => Promise<void>): Promise<readonly unknown[]> {
  const unhandled: unknown[] = [];
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => unhandled.push(reason));
  try {
    await work();
    await new Promise(setImmediate);
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
  return unhandled;
}

it("an emit without JSON that is not awaited is an unhandled rejection, never a silent hole", async () => {
  const { baseUrl } = await startScriptedServer((response) =>
    json(response, 201, { firstSequence: 1, lastSequence: 1, runStatus: "running" }),
  );
  const run = await startRun({ baseUrl, credential: { bearer: "b" } });
  const unhandled = await unhandledDuring(async () => {
    void run.emit("TOKEN", 1n);
    await expect(run.emit("TOKEN", 2n)).rejects.toMatchObject({ code: "invalid_event" });
    await run.complete();
  });
  expect(unhandled).toMatchObject([{ code: "invalid_event" }]);
});

it("emits that are not awaited and could not be sent show only in the signal and the next call", async () => {
  const { baseUrl } = await startScriptedServer((response, index) => {
    if (index < 2)
      json(response, 201, { firstSequence: index, lastSequence: index, runStatus: "running" });
    else json(response, 422, { code: "invalid_event" });
  });
  const run = await startRun({ baseUrl, credential: { bearer: "b" } });
  const unhandled = await unhandledDuring(async () => {
    for (let at = 0; at < 10; at++) void run.emit("TOKEN", at);
    await expect(run.flush()).rejects.toMatchObject({ code: "invalid_event" });
    for (let at = 0; at < 10; at++) void run.emit("TOKEN", at);
    await expect(run.complete()).rejects.toMatchObject({ code: "invalid_event" });
  });
  expect(unhandled).toEqual([]);
  expect(run.signal.reason).toMatchObject({ code: "invalid_event" });
});

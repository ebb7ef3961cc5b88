import { startRun } from "@tm/run-events-client";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { install } from "@sinonjs/fake-timers";
import { expect, it } from "vitest";
import { onFastClock } from "../on-fast-clock.ts";
import { json, startScriptedServer } from "../scripted-server.ts";

interface Received {
  readonly key: string | undefined;
  readonly count: number;
}

/** A server that takes appends when the test lets it. */
async function startHoldingServer(answer: (index: number, take: () => void) => void): Promise<{
  readonly baseUrl: string;
  readonly received: readonly Received[];
}> {
  const received: Received[] = [];
  async function read(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { events } = JSON.parse(await text(request)) as { readonly events?: readonly unknown[] };
    if (events === undefined) return json(response, 201, { lastSequence: 1, runStatus: "running" });
    const key = request.headers["idempotency-key"] as string | undefined;
    const count = events.length;
    const index = received.push({ key, count }) - 1;
    const receipt = { firstSequence: 1, lastSequence: count, runStatus: "running" };
    answer(index, () => json(response, 201, receipt));
    if (index < 2 && key === "lost") response.destroy();
  }
  const { baseUrl } = await startScriptedServer(
    (response, _, request) => void read(request, response),
  );
  return { baseUrl, received };
}

it("an emit to a slow server waits while more than 1 MiB waits, and continues when there is room", async () => {
  const held: (() => void)[] = [];
  const { baseUrl } = await startHoldingServer((_, take) => held.push(take));
  const run = await startRun({ baseUrl, credential: { bearer: "b" } });
  const payload = "x".repeat(10_000);
  let given = 0;
  const writing = (async () => {
    for (; given < 300; given++) await run.emit("TOKEN", payload);
    await run.complete();
  })();
  // Until nothing moves.
  for (let before = -1; held.length === 0 || given > before;) {
    before = given;
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  }
  expect(given).toBeGreaterThan(100);
  expect(given).toBeLessThan(110);
  let isOver = false;
  void writing.finally(() => (isOver = true));
  while (!isOver) {
    held.shift()?.();
    await new Promise(setImmediate);
  }
  await writing;
  expect(given).toBe(300);
});

it("tokens that come one by one are sent together, at most 500 at a time", async () => {
  const { baseUrl, received } = await startHoldingServer((_, take) => take());
  const run = await startRun({ baseUrl, credential: { bearer: "b" } });
  for (let at = 0; at < 1_200; at++) void run.emit("TOKEN", at);
  await run.complete();
  expect(received.map(({ count }) => count)).toEqual([500, 500, 200, 1]);
});

it("W10: an append without an answer is sent again under its key, and each append has its own key", async () => {
  const { baseUrl, received } = await startHoldingServer((index, take) => index >= 2 && take());
  const run = await startRun({ baseUrl, credential: { bearer: "b" } });
  await onFastClock(async () => {
    await run.append([{ eventType: "STEP" }], { idempotencyKey: "lost" });
    await run.append([{ eventType: "STEP" }]);
    await run.append([{ eventType: "STEP" }]);
  });
  const keys = received.map(({ key }) => key);
  expect(keys.slice(0, 3)).toEqual(["lost", "lost", "lost"]);
  expect(new Set(keys.slice(2)).size).toBe(3);
});

it("an event that cannot be sent within `patienceMs` fails the writer for good, and aborts its signal", async () => {
  let isAway = false;
  const { baseUrl } = await startScriptedServer((response) => {
    if (isAway) json(response, 503, {});
    else json(response, 201, { firstSequence: 1, lastSequence: 1, runStatus: "running" });
  });
  const run = await startRun({ baseUrl, credential: { bearer: "b" }, patienceMs: 10_000 });
  isAway = true;
  await onFastClock(async () => {
    await run.emit("TOKEN", 1);
    await expect(run.flush()).rejects.toMatchObject({ code: "store_unavailable" });
  });
  expect(run.signal.reason).toMatchObject({ code: "store_unavailable" });
  await expect(run.complete()).rejects.toMatchObject({ code: "store_unavailable" });
});

it("W41: the first event waits for others as long as mergeMs says, and a flush ends the wait", async () => {
  const { baseUrl, received } = await startHoldingServer((_, take) => take());
  const clock = install({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    shouldClearNativeTimers: true,
  });
  try {
    const run = await startRun({ baseUrl, credential: { bearer: "b" }, mergeMs: 5_000 });
    void run.emit("TOKEN", 1);
    await clock.tickAsync(4_999);
    void run.emit("TOKEN", 2);
    await clock.tickAsync(1);
    void run.emit("TOKEN", 3);
    await run.flush();
    expect(received.map(({ count }) => count)).toEqual([2, 1]);
    run.close();
  } finally {
    clock.uninstall();
  }
});

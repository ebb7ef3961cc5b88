import { startRun } from "@tm/run-events-client";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { install } from "@sinonjs/fake-timers";
import { expect, it } from "vitest";
import { json, startScriptedServer } from "../scripted-server.ts";

interface Draft {
  readonly eventType: string;
  readonly payload?: unknown;
}

type Refusal = readonly [status: number, code: string];

/**
 * A server that refuses some appends.
 * @returns its address, the events that have landed, and the size of each append
 */
async function startPickyServer(refusalOf: (events: readonly Draft[]) => Refusal | null): Promise<{
  readonly baseUrl: string;
  readonly landed: readonly unknown[];
  readonly sizes: readonly number[];
}> {
  const landed: unknown[] = [];
  const sizes: number[] = [];
  async function answer(response: ServerResponse, request: IncomingMessage): Promise<void> {
    const { events = [] } = JSON.parse(await text(request)) as { readonly events?: Draft[] };
    const tokens = events.filter(({ eventType }) => eventType === "TOKEN");
    if (tokens.length > 0) sizes.push(tokens.length);
    const [status, code] = refusalOf(tokens) ?? [];
    if (status !== undefined) return json(response, status, { code });
    landed.push(...tokens.map(({ payload }) => payload));
    const lastSequence = Math.max(1, events.length);
    json(response, 201, { firstSequence: 1, lastSequence, runStatus: "running" });
  }
  const { baseUrl } = await startScriptedServer(
    (response, _, request) => void answer(response, request),
  );
  return { baseUrl, landed, sizes };
}

const NUMBERS = Array.from({ length: 1_000 }, (_, at) => at);

it.each<Refusal>([
  [400, "invalid_request"],
  [413, "payload_too_large"],
])(
  "W9: a server that answers %d %s to more than 7 events gets every event once and in order",
  async (...refusal) => {
    const server = await startPickyServer((events) => (events.length > 7 ? refusal : null));
    const run = await startRun({ baseUrl: server.baseUrl, credential: { bearer: "b" } });
    for (const number of NUMBERS) void run.emit("TOKEN", number);
    await run.complete();
    expect(server.landed).toEqual(NUMBERS);
    // From then on the writer gathers no more events than that.
    const before = server.sizes.length;
    expect(server.sizes.filter((size) => size > 7).length).toBeLessThan(before / 2);
  },
);

it("W9: the events before a refused one land, and none after it", async () => {
  const server = await startPickyServer((events) =>
    events.some(({ payload }) => payload === 99) ? [413, "payload_too_large"] : null,
  );
  const run = await startRun({ baseUrl: server.baseUrl, credential: { bearer: "b" } });
  for (const number of NUMBERS) void run.emit("TOKEN", number);
  await expect(run.flush()).rejects.toMatchObject({ code: "payload_too_large" });
  expect(server.landed).toEqual(NUMBERS.slice(0, 99));
  await run.fail();
});

it("W41: the first event waits for others as long as mergeMs says, and a flush ends the wait", async () => {
  const server = await startPickyServer(() => null);
  const clock = install({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    shouldClearNativeTimers: true,
  });
  try {
    const credential = { bearer: "b" };
    const run = await startRun({ baseUrl: server.baseUrl, credential, mergeMs: 5_000 });
    void run.emit("TOKEN", 1);
    await clock.tickAsync(4_999);
    void run.emit("TOKEN", 2);
    await clock.tickAsync(1);
    void run.emit("TOKEN", 3);
    await run.flush();
    expect(server.landed).toEqual([1, 2, 3]);
    expect(server.sizes).toEqual([2, 1]);
    run.close();
  } finally {
    clock.uninstall();
  }
});

import { install } from "@sinonjs/fake-timers";
import { followRun } from "@tm/run-events-client";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Fault, startFaultProxy } from "./fault-proxy.ts";
import { startServer, type TestServer } from "./start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

interface Script {
  readonly credential: "cookie" | "bearer";
  readonly faults: readonly Fault[];
  /** How many events are there before the reader is, and how many come in each append behind that. */
  readonly before: number;
  readonly batches: readonly number[];
}

const fault = fc.record({
  at: fc.oneof(fc.nat(600), fc.nat(4_000)),
  kind: fc.constantFrom("cut", "end", "stall", "split", "none"),
});
const script = fc.record({
  credential: fc.constantFrom("cookie", "cookie", "bearer"),
  faults: fc.array(fault, { maxLength: 6 }),
  before: fc.nat(20),
  batches: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 6 }),
});

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/agent-runs${path}`, {
    method: "POST",
    headers: { authorization: "Bearer ada", "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
  await response.text();
}

/** What a consumer saw: sequences, then how it ended. */
async function play({ credential, faults, before, batches }: Script): Promise<void> {
  const runId = crypto.randomUUID();
  const append = (count: number): Promise<void> =>
    post(`/${runId}/events`, { events: Array.from({ length: count }, () => ({ eventType: "TOKEN", payload: "…" })) });
  await post("", { runId });
  if (before > 0) await append(before);
  const proxy = await startFaultProxy(server.port, faults);
  const seen: number[] = [];
  const follower = followRun({
    baseUrl: `http://127.0.0.1:${proxy.port}`,
    runId,
    credential: credential === "cookie" ? { cookie: "session=ada" } : { bearer: "ada" },
  });
  async function follow(): Promise<void> {
    for await (const { sequence } of follower) seen.push(sequence);
  }
  const following = follow();
  try {
    for (const count of batches) await append(count);
    await post(`/${runId}/events`, { events: [{ eventType: "RUN_COMPLETED" }] });
    await following;
  } finally {
    proxy.close();
  }
  const final = before + batches.reduce((sum, count) => sum + count, 0) + 1;
  expect(seen).toEqual(Array.from({ length: final }, (_, index) => index + 1));
  expect(follower).toMatchObject({ state: "finished", runStatus: "completed", cursor: final });
}

it("W15-W26: whatever a proxy cuts, ends, stalls or splits, the reader gets 1 to the last event once, then the end", async () => {
  const clock = install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    let isOver = false;
    const checking = fc
      .assert(
        fc.asyncProperty(fc.array(script, { minLength: 25, maxLength: 25 }), async (scripts) => {
          await Promise.all(scripts.map(play));
        }),
        { numRuns: 40 },
      )
      .finally(() => (isOver = true));
    while (!isOver) await clock.tickAsync(20);
    await checking;
  } finally {
    clock.uninstall();
  }
}, 300_000);

import { followRun } from "@tm/run-events-client";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { post } from "./api.ts";
import { fault, type Fault, startFaultProxy } from "./fault-proxy.ts";
import { onFastClock } from "./on-fast-clock.ts";
import { startServer, type TestServer } from "./start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

interface Script {
  readonly credential: "cookie" | "bearer";
  readonly faults: readonly Fault[];
  /** How many events the run has before the reader starts, and how many each later append adds. */
  readonly before: number;
  readonly batches: readonly number[];
}

const script = fc.record({
  credential: fc.constantFrom("cookie", "cookie", "bearer"),
  faults: fc.array(fault, { maxLength: 6 }),
  before: fc.nat(20),
  batches: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 6 }),
});

/** What a consumer saw: sequences, then how it ended. */
async function play({ credential, faults, before, batches }: Script): Promise<void> {
  const runId = crypto.randomUUID();
  const append = (count: number): Promise<unknown> =>
    post(server.port, `/${runId}/events`, {
      events: Array.from({ length: count }, () => ({ eventType: "TOKEN", payload: "…" })),
    });
  await post(server.port, "", { runId });
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
    await post(server.port, `/${runId}/events`, { events: [{ eventType: "RUN_COMPLETED" }] });
    await following;
  } finally {
    proxy.close();
  }
  const final = before + batches.reduce((sum, count) => sum + count, 0) + 1;
  expect(seen).toEqual(Array.from({ length: final }, (_, index) => index + 1));
  expect(follower).toMatchObject({ state: "finished", runStatus: "completed", cursor: final });
}

it("W15-W26: a reader behind a proxy that cuts, ends, stalls or splits gets every event once, then the end", async () => {
  const scripts = fc.array(script, { minLength: 100, maxLength: 100 });
  await onFastClock(() =>
    fc.assert(
      fc.asyncProperty(scripts, async (all) => {
        await Promise.all(all.map(play));
      }),
      { numRuns: 10 },
    ),
  );
}, 300_000);

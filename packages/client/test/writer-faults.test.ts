import { startRun } from "@tm/run-events-client";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readLog } from "./api.ts";
import { fault, type Fault, startFaultProxy } from "./fault-proxy.ts";
import { onFastClock } from "./on-fast-clock.ts";
import { startServer, type TestServer } from "./start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** What a writer does: events emitted one by one, a batch, or a pause until all is acknowledged. */
type Step =
  | { readonly call: "emit" | "append"; readonly count: number }
  | { readonly call: "flush" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ call: fc.constantFrom("emit", "append"), count: fc.integer({ min: 1, max: 5 }) }),
  fc.constant({ call: "flush" as const }),
);
const script = fc.record({
  steps: fc.array(step, { maxLength: 8 }),
  faults: fc.array(fault, { maxLength: 6 }),
});

async function play({
  steps,
  faults,
}: {
  readonly steps: readonly Step[];
  readonly faults: readonly Fault[];
}): Promise<void> {
  const proxy = await startFaultProxy(server.port, faults);
  try {
    const run = await startRun({
      baseUrl: `http://127.0.0.1:${proxy.port}`,
      credential: { bearer: "ada" },
      // Time flies here, on a busy machine all the more.
      patienceMs: Number.POSITIVE_INFINITY,
    });
    const given: unknown[] = [];
    const draft = (): { readonly eventType: string; readonly payload: number } => {
      given.push(["TOKEN", given.length]);
      return { eventType: "TOKEN", payload: given.length - 1 };
    };
    for (const one of steps) {
      if (one.call === "flush") await run.flush();
      else if (one.call === "append") void run.append(Array.from({ length: one.count }, draft));
      else for (let at = 0; at < one.count; at++) void run.emit("TOKEN", draft().payload);
    }
    await run.complete("done");
    const log = await readLog(server.port, run.runId);
    expect(log).toEqual([["RUN_STARTED", null], ...given, ["RUN_COMPLETED", "done"]]);
  } finally {
    proxy.close();
  }
}

it("W9, W10: whatever a proxy cuts, ends, stalls or splits, what a writer gave is in the log once and in order", async () => {
  const scripts = fc.array(script, { minLength: 20, maxLength: 20 });
  await onFastClock(() =>
    fc.assert(
      fc.asyncProperty(scripts, async (all) => {
        await Promise.all(all.map(play));
      }),
      { numRuns: 25 },
    ),
  );
}, 300_000);

import { workRun } from "@tm/run-events-client/work";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRun, readLog } from "./api.ts";
import { fault, type Fault, startFaultProxy } from "./fault-proxy.ts";
import { onFastClock } from "./on-fast-clock.ts";
import { startServer, type TestServer } from "./start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** What a task does: events emitted one by one, a batch, or an append that is waited for, and with it all before it. */
type Step =
  | { readonly call: "emit" | "append"; readonly count: number }
  | { readonly call: "wait" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ call: fc.constantFrom("emit", "append"), count: fc.integer({ min: 1, max: 5 }) }),
  fc.constant({ call: "wait" as const }),
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
  const runId = await createRun(server.port);
  const proxy = await startFaultProxy(server.port, faults);
  const given: unknown[] = [];
  const draft = (): { readonly eventType: string; readonly payload: number } => {
    given.push(["TOKEN", given.length]);
    return { eventType: "TOKEN", payload: given.length - 1 };
  };
  try {
    const options = {
      runId,
      baseUrl: `http://127.0.0.1:${proxy.port}`,
      credential: { bearer: "ada" },
      // Time flies here: for the server it takes a hundredth of it.
      leaseMs: 3_600_000,
    };
    await workRun(options, async (run) => {
      for (const one of steps) {
        if (one.call === "wait") await run.append([draft()]);
        else if (one.call === "append") void run.append(Array.from({ length: one.count }, draft));
        else for (let at = 0; at < one.count; at++) void run.emit("TOKEN", draft().payload);
      }
      return "done";
    });
    expect(await readLog(server.port, runId)).toEqual([...given, ["RUN_COMPLETED", "done"]]);
  } finally {
    proxy.close();
  }
}

it("W9, W10: whatever a proxy cuts, ends, stalls or splits, what a task gave is in the log once and in order", async () => {
  const scripts = fc.array(script, { minLength: 20, maxLength: 20 });
  await onFastClock(() =>
    fc.assert(
      fc.asyncProperty(scripts, async (all) => {
        await Promise.all(all.map(play));
      }),
      { numRuns: 10 },
    ),
  );
}, 300_000);

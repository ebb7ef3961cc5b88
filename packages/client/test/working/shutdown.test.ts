import { workRun, type WorkRunOptions } from "@tm/run-events-client/work";
import { beforeAll, expect, it } from "vitest";
import { createRun, readLog, takeOver } from "../api.ts";
import { aborted, failureOf } from "../failure-of.ts";
import { startFaultProxy } from "../fault-proxy.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { useServer } from "../use-server.ts";

/** The reason of these shutdowns. */
const REASON = new Error("SIGTERM");

const server = useServer();
/** A lease that does not expire within a test. */
let ada: Omit<WorkRunOptions, "runId">;
beforeAll(() => {
  ada = { baseUrl: server.baseUrl, credential: { bearer: "ada" }, leaseMs: 3_600_000 };
});

it("W31: a shutdown that stops the task releases the run, after the task's last events", async () => {
  const runId = await createRun(server.port);
  const shutdown = new AbortController();
  const { signal } = shutdown;
  const work = workRun({ ...ada, runId, signal }, async (run) => {
    void run.emit("TOKEN", 1);
    shutdown.abort(REASON);
    await aborted(run.signal);
    await run.append([{ eventType: "PAUSED" }]);
    run.signal.throwIfAborted();
  });
  expect(await failureOf(work)).toBe(REASON);
  const append = await takeOver(server.port, runId);
  expect((await append("THEIRS")).status).toBe(201);
  expect(await readLog(server.port, runId)).toEqual([
    ["TOKEN", 1],
    ["PAUSED", null],
    ["THEIRS", null],
  ]);
});

/** A fetch that holds back the answer to this method, which has landed, until the request is aborted. */
function holdBack(method: string, onHeld: () => void): typeof globalThis.fetch {
  return async (url, init) => {
    if ((init?.method ?? "GET") !== method) return globalThis.fetch(url, init);
    const { signal, ...landing } = init ?? {};
    await globalThis.fetch(url, landing);
    const cut = new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
    });
    onHeld();
    return cut;
  };
}

it("S21: a shutdown cuts off a claim under way, and its lease expires if it has landed", async () => {
  const runId = await createRun(server.port);
  const shutdown = new AbortController();
  const { signal } = shutdown;
  const asked: string[] = [];
  const held = holdBack("POST", () => shutdown.abort(REASON));
  const fetch: typeof globalThis.fetch = async (url, init) => {
    asked.push(init?.method ?? "GET");
    return held(url, init);
  };
  const work = workRun({ ...ada, runId, leaseMs: 1_000, signal, fetch }, () =>
    expect.unreachable(),
  );
  expect(await failureOf(work)).toBe(REASON);
  // No other request was sent, so the lease was not released.
  expect(asked).toEqual(["POST"]);
  await takeOver(server.port, runId);
});

it("S21: a shutdown after the claim's answer cuts off the read of the run, and releases it", async () => {
  const runId = await createRun(server.port);
  const shutdown = new AbortController();
  const { signal } = shutdown;
  const fetch = holdBack("GET", () => shutdown.abort(REASON));
  const work = workRun({ ...ada, runId, signal, fetch }, () => expect.unreachable());
  expect(await failureOf(work)).toBe(REASON);
  // Its lease would last for an hour.
  await takeOver(server.port, runId);
});

it.each(["the task", "the read of the run"])(
  "a shutdown during %s waits a few seconds at most for a release that is not answered",
  async (moment) => {
    const runId = await createRun(server.port);
    const shutdown = new AbortController();
    const { signal } = shutdown;
    const held = holdBack("DELETE", () => {});
    const fetch: typeof globalThis.fetch = async (url, init) => {
      if (moment !== "the task" && init?.method === undefined) shutdown.abort(REASON);
      return held(url, init);
    };
    const waitedMs = await onFastClock(async () => {
      let beganMs = performance.now();
      const work = workRun({ ...ada, runId, signal, fetch }, () => {
        beganMs = performance.now();
        shutdown.abort(REASON);
        throw REASON;
      });
      expect(await failureOf(work)).toBe(REASON);
      return performance.now() - beganMs;
    });
    // On a clock that the test moves.
    expect(waitedMs).toBeGreaterThan(1_000);
    expect(waitedMs).toBeLessThan(5_000);
  },
);

it("a worker that is shut down before it starts sends no request", async () => {
  const fetch = (): never => expect.unreachable();
  const options = { ...ada, runId: "r", fetch, signal: AbortSignal.abort(REASON) };
  expect(await failureOf(workRun(options, () => {}))).toBe(REASON);
});

it("S7: a shutdown does not wait for a server that does not answer, and the append is in doubt", async () => {
  const runId = await createRun(server.port);
  const way = await startFaultProxy(server.port, []);
  const shutdown = new AbortController();
  const { signal } = shutdown;
  const unsure: unknown[] = [];
  const baseUrl = `http://127.0.0.1:${way.port}`;
  const work = workRun({ ...ada, runId, baseUrl, signal }, async (run) => {
    way.close();
    const append = failureOf(run.append([{ eventType: "STEP" }]));
    shutdown.abort(REASON);
    unsure.push(await append, await failureOf(run.append([{ eventType: "STEP" }])));
    throw REASON;
  });
  expect(await failureOf(work)).toBe(REASON);
  const inDoubt = { code: "store_unavailable", ambiguous: true };
  expect(unsure).toMatchObject([inDoubt, inDoubt]);
  expect(signal.aborted).toBe(true);
});

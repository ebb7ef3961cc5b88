import type { OwnedRuns } from "@tm/run-events-core";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { createSdk } from "./sdk.ts";
import { openTwo, type SharedServer } from "./stores.ts";

const UP = "run_events.notifications.up";
const LOST = "run_events.notifications.lost";
const PATIENT = { timeout: 15_000, interval: 20 };

/** Follows the run until the test ends. @returns the payloads so far */
function follow(runs: OwnedRuns, runId: string): readonly unknown[] {
  const payloads: unknown[] = [];
  const end = new AbortController();
  onTestFinished(() => end.abort());
  void (async () => {
    for await (const { payload } of runs.tail(runId, { signal: end.signal }))
      payloads.push(payload);
  })().catch(() => {});
  return payloads;
}

const append = async (runs: OwnedRuns, runId: string, payload: unknown): Promise<unknown> =>
  runs.append(runId, [{ eventType: "A", payload }]);

/** Tests of faults of a server that processes share. */
export function testServer(start: () => Promise<SharedServer>): void {
  let server: SharedServer;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => server.close());

  it("S13: a lost connection for notifications is counted, and how long it was down", async () => {
    const { telemetry, total, points } = createSdk();
    const { runs, others, runId, close } = await openTwo(server, telemetry);
    const payloads = follow(runs, runId);
    await expect.poll(() => total(UP), PATIENT).toBe(1);
    expect(await total("run_events.tail.active")).toBe(1);
    expect(await points(LOST)).toStrictEqual([]);
    expect(await server.killListeners()).toBeGreaterThan(0);
    await expect.poll(() => total(LOST), PATIENT).toBe(1);
    await append(others, runId, 1);
    await expect.poll(() => payloads, PATIENT).toStrictEqual([1]);
    await expect.poll(() => total(UP), PATIENT).toBe(1);
    expect(await total("run_events.notifications.down.duration")).toBe(1);
    // Commits that polls find meanwhile do not count as missed.
    expect(await points("run_events.notifications.missed")).toStrictEqual([]);
    await close();
    expect([await total(UP), await total(LOST)]).toStrictEqual([0, 1]);
  });

  it("S13: a notification that is lost on the way is counted, and its reader gets the event", async () => {
    const { telemetry, total, points } = createSdk();
    const { proxy, runs, others, runId } = await openTwo(server, telemetry);
    const payloads = follow(runs, runId);
    await expect.poll(() => total(UP), PATIENT).toBe(1);
    await append(others, runId, 1);
    await expect.poll(() => payloads, PATIENT).toStrictEqual([1]);
    proxy.dropNotifications(server.protocol);
    // The first poll only learns where the run is.
    for (let value = 2; (await total("run_events.notifications.missed")) === 0; value += 1) {
      await append(others, runId, value);
      await expect.poll(() => payloads, PATIENT).toHaveLength(value);
    }
    const missed = await points("run_events.notifications.missed");
    expect(missed).toMatchObject([{ attributes: { "run_events.found_by": "poll" } }]);
    expect(payloads).toStrictEqual(payloads.map((_, index) => index + 1));
  });

  it("S7: an append whose answer is lost is counted with how often it was sent again, and lands once", async () => {
    const { telemetry, total, points, spans } = createSdk();
    const { proxy, runs, others, runId } = await openTwo(server, telemetry);
    await append(runs, runId, 0);
    const lastSequence = async (): Promise<number> => (await others.get(runId)).lastSequence;
    const landed = server.loseAnswer(
      proxy,
      () => append(runs, runId, 1),
      () => expect.poll(lastSequence, PATIENT).toBe(2),
    );
    expect(await landed).toMatchObject({ firstSequence: 2, lastSequence: 2 });
    expect(await lastSequence()).toBe(2);
    await expect.poll(() => total("run_events.resends"), PATIENT).toBeGreaterThan(0);
    const [resend, ...more] = await points("run_events.resend.duration");
    expect(more).toStrictEqual([]);
    expect(resend).toStrictEqual({
      attributes: { "run_events.call": "append", "run_events.outcome": "answered" },
      value: 1,
    });
    expect(spans("run_events.append")).toHaveLength(2);
  });

  it("S21: a worker that the network cuts off loses its lease, which is counted at once, and its span has the error", async () => {
    const { telemetry, total, points, spans } = createSdk();
    const { proxy, runs, runId } = await openTwo(server, telemetry);
    const work = runs.work(runId, { leaseMs: 1_000 }, async (run) => {
      proxy.stall();
      await expect.poll(() => run.signal.aborted, PATIENT).toBe(true);
      expect(await points("run_events.work.lost_leases")).toStrictEqual([
        { attributes: { "run_events.reason": "fenced" }, value: 1 },
      ]);
      expect(await total("run_events.work.active")).toBe(1);
    });
    await expect(work).rejects.toMatchObject({ code: "fenced" });
    proxy.resume();
    expect(await total("run_events.work.active")).toBe(0);
    expect(spans("run_events.work")[0]?.attributes).toMatchObject({
      "run_events.run.id": runId,
      "run_events.outcome": "lost",
    });
  });
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";

const START = Date.UTC(2026, 5, 20, 12, 1);
const LEASE = { ...ADA, leaseMs: 1_000 };
const TOKEN = { eventType: "TOKEN" };

let now = START;
let log: RunLog;

beforeEach(async () => {
  now = START;
  log = createRunLog({ store: createMemoryStore({ now: () => now }) });
  await log.createRun({ runId: "r", ownerId: "ada" });
});

afterEach(() => log.close());

describe("createLeases", () => {
  it("W31: one worker at a time gets a run, each with a higher fence", async () => {
    expect(await log.claim("r", LEASE)).toMatchObject({
      runId: "r",
      fence: START * 1_000 + 1,
      leaseExpiresAtMs: START + 1_000,
    });
    now += 999;
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({
      code: "claimed",
      retryable: false,
      details: { expiresAt: "2026-06-20T12:01:01.000Z" },
    });
    now += 1;
    const { fence } = await log.claim("r", LEASE);
    expect(fence).toBe((START + 1_000) * 1_000 + 1);
    expect(await log.release("r", fence, ADA)).toMatchObject({ fence, leaseExpiresAtMs: null });
    expect(await log.release("r", fence, ADA)).toMatchObject({ leaseExpiresAtMs: null });
    expect((await log.claim("r", LEASE)).fence).toBeGreaterThan(fence);
  });

  it("W32: a later claim shuts out the worker before, in every call, and those calls leave the run unchanged", async () => {
    const { fence } = await log.claim("r", LEASE);
    now += 1_000;
    const held = await log.claim("r", LEASE);
    const fenced = { code: "fenced", retryable: false };
    await expect(log.append("r", [TOKEN], { ...ADA, fence })).rejects.toMatchObject(fenced);
    await expect(log.append("r", [TOKEN], ADA)).rejects.toMatchObject(fenced);
    await expect(log.renew("r", fence, LEASE)).rejects.toMatchObject(fenced);
    await expect(log.release("r", fence, ADA)).rejects.toMatchObject(fenced);
    expect(await log.getRun("r", ADA)).toStrictEqual(held);
  });

  it("W32: a cancel needs no fence and ends the lease; every later call of the worker is refused", async () => {
    const { fence } = await log.claim("r", LEASE);
    expect(await log.cancel("r", ADA)).toMatchObject({ fence: fence + 1, leaseExpiresAtMs: null });
    const finished = {
      code: "run_finished",
      details: { runStatus: "cancelled", lastSequence: 1 },
    };
    await expect(log.append("r", [TOKEN], { ...ADA, fence })).rejects.toMatchObject(finished);
    await expect(log.renew("r", fence, LEASE)).rejects.toMatchObject(finished);
    await expect(log.release("r", fence, ADA)).rejects.toMatchObject(finished);
    await expect(log.claim("r", LEASE)).rejects.toMatchObject(finished);
  });

  it("W4: leases of another owner's run behave as if the run did not exist", async () => {
    const eve = { ownerId: "eve" };
    const notFound = { code: "not_found" };
    await expect(log.claim("r", { ...LEASE, ...eve })).rejects.toMatchObject(notFound);
    const { fence } = await log.claim("r", LEASE);
    await expect(log.renew("r", fence, { ...LEASE, ...eve })).rejects.toMatchObject(notFound);
    await expect(log.release("r", fence, eve)).rejects.toMatchObject(notFound);
    expect(await log.release("r", fence, ADA)).toMatchObject({ fence });
  });

  it.each([999, 3_600_001, 1_000.5, Number.NaN, "1000" as unknown as number])(
    "W31: a lease of %j ms is refused",
    async (leaseMs) => {
      const invalid = { code: "invalid_request" };
      await expect(log.claim("r", { ...ADA, leaseMs })).rejects.toMatchObject(invalid);
      await expect(log.renew("r", 1, { ...ADA, leaseMs })).rejects.toMatchObject(invalid);
    },
  );

  it.each([0, 1.5, "1" as unknown as number])("W32: the fence %j is refused", async (fence) => {
    const invalid = { code: "invalid_request" };
    await expect(log.renew("r", fence, LEASE)).rejects.toMatchObject(invalid);
    await expect(log.release("r", fence, ADA)).rejects.toMatchObject(invalid);
    await expect(log.append("r", [TOKEN], { ...ADA, fence })).rejects.toMatchObject(invalid);
  });

  it("W31: a claim takes the shortest and the longest lease", async () => {
    for (const leaseMs of [1_000, 3_600_000]) {
      const { fence } = await log.claim("r", { ...ADA, leaseMs });
      await log.release("r", fence, ADA);
    }
  });
});

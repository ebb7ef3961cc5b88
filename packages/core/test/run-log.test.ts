import { describe, expect, it } from "vitest";
import { ADA } from "./adas-runs.ts";
import { createDeferred } from "./deferred.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import type { Plain } from "../src/rules/append-rule.ts";
import { JsonText } from "../src/rules/json-text.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";

const TOKEN = { eventType: "TOKEN" };

async function createBench(store: RunEventStore = createMemoryStore()): Promise<RunLog> {
  const log = createRunLog({ store, clock: createFakeClock() });
  await log.createRun({ runId: "r", ownerId: "ada" });
  return log;
}

/** A memory store whose appends wait for the test, and are counted. */
function createHeldStore(): {
  readonly store: RunEventStore;
  readonly groups: (readonly Plain[])[];
  /** The number of runs that each change was about: the first is the creation. */
  readonly changes: readonly number[];
  readonly go: () => void;
} {
  const memory = createMemoryStore();
  const groups: (readonly Plain[])[] = [];
  const changed: number[] = [];
  const gate = createDeferred<void>();
  const store: RunEventStore = {
    ...memory,
    async append(plains) {
      groups.push(plains);
      await gate.promise;
      return memory.append(plains);
    },
    change(changes) {
      changed.push(changes.length);
      return memory.change(changes);
    },
  };
  return { store, groups, changes: changed, go: () => gate.resolve() };
}

it.each(["appendsAtOnce", "mostBytes", "mostEvents"])(
  "a store whose %s is not an integer of 1 or more is a TypeError",
  (name) => {
    const store = createMemoryStore();
    for (const value of [0, 1.5, undefined]) {
      const capabilities = { ...store.capabilities, [name]: value };
      expect(() => createRunLog({ store: { ...store, capabilities } })).toThrow(name);
    }
  },
);

describe("append", () => {
  it("W9: appends of one turn go to the store as one call, and those that are not plain as one more", async () => {
    const { store, groups, changes, go } = createHeldStore();
    const log = await createBench(store);
    go();
    await Promise.all([
      log.append("r", [TOKEN], ADA),
      log.append("r", [TOKEN], ADA),
      log.append("none", [TOKEN], ADA).catch(() => "refused"),
    ]);
    expect(groups.map((group) => group.length)).toStrictEqual([3]);
    expect(changes).toStrictEqual([1, 2]);
    await log.close();
  });

  it.each([
    ["an expected sequence of -1", { expectedSequence: -1 }],
    ["one that is no integer", { expectedSequence: 0.5 }],
    ["one that is no number", { expectedSequence: Number.NaN }],
    ["an empty key", { idempotencyKey: "" }],
  ])("W3: an append with %s is refused before anything is sent", async (_what, options) => {
    const { store, groups } = createHeldStore();
    const log = await createBench(store);
    await expect(log.append("r", [TOKEN], { ...ADA, ...options })).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(groups).toStrictEqual([]);
    await log.close();
  });

  it("W31: a renewal waits behind any amount of its owner's appends, and is not refused", async () => {
    const { store, groups, go } = createHeldStore();
    const log = await createBench(store);
    const { fence } = await log.claim("r", { ...ADA, leaseMs: 60_000 });
    await log.createRun({ ...ADA, runId: "s" });
    const payload = JsonText.of("x".repeat(250_000));
    const batch = Array.from({ length: 100 }, () => ({ eventType: "TOKEN", payload }));
    const appends = [log.append("s", batch, ADA)];
    await expect.poll(() => groups.length).toBe(1);
    appends.push(log.append("s", batch, ADA));
    const renewal = log.renew("r", fence, { ...ADA, leaseMs: 60_000 });
    const refused = log.append("r", [TOKEN], { ...ADA, fence });
    await expect(refused).rejects.toMatchObject({ code: "too_many_requests" });
    go();
    expect(await renewal).toMatchObject({ fence });
    await Promise.all(appends);
    await log.close();
  });

  it("S21: a change of many creations has no more metadata than one call may have", async () => {
    const { store, changes } = createHeldStore();
    const log = createRunLog({ store });
    const metadata = JsonText.of("x".repeat(250_000));
    const runIds = Array.from({ length: 50 }, (_, at) => `r-${at}`);
    await Promise.all(runIds.map((runId) => log.createRun({ ...ADA, runId, metadata })));
    expect(changes.reduce((sum, count) => sum + count, 0)).toBe(50);
    expect(Math.max(...changes) * 250_000).toBeLessThanOrEqual(8_388_608);
    await log.close();
  });

  it("S5: an append that is more than the store takes in one call is refused, and one that is as much lands", async () => {
    const memory = createMemoryStore();
    const capabilities = { ...memory.capabilities, mostEvents: 3, mostBytes: 1_000 };
    const log = await createBench({ ...memory, capabilities });
    const events = (...texts: readonly string[]) =>
      texts.map((payload) => ({ eventType: "TOKEN", payload }));
    const four = log.append("r", events("a", "b", "c", "d"), ADA);
    await expect(four).rejects.toMatchObject({ code: "invalid_request" });
    const large = log.append("r", events("é".repeat(250), "é".repeat(250)), ADA);
    await expect(large).rejects.toMatchObject({ code: "payload_too_large" });
    const input = log.input("r", "x".repeat(999), ADA);
    await expect(input).rejects.toMatchObject({ code: "payload_too_large" });
    const most = events("é".repeat(249), "é".repeat(248), "");
    expect(await log.append("r", most, ADA)).toMatchObject({ lastSequence: 3 });
    await log.close();
  });
});

describe("close", () => {
  it("S18: close lets the appends under way land, ends the readers, and refuses later calls", async () => {
    const { store, groups, go } = createHeldStore();
    const clock = createFakeClock();
    const log = createRunLog({ store, clock });
    await log.createRun({ runId: "r", ownerId: "ada" });
    const appended = log.append("r", [TOKEN], ADA);
    const wait = log.waitFor("r", { ...ADA, since: 0, signal: new AbortController().signal });
    const ended = expect(wait).rejects.toMatchObject({ code: "store_unavailable" });
    await expect.poll(() => groups.length).toBe(1);
    const [closed, again] = [log.close(), log.close()];
    await ended;
    await expect(log.append("r", [TOKEN], ADA)).rejects.toMatchObject({
      code: "store_unavailable",
      ambiguous: false,
    });
    go();
    expect(await appended).toMatchObject({ lastSequence: 1 });
    await Promise.all([closed, again]);
    await expect(log.readPage("r", ADA)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(clock.timers()).toBe(0);
  });

  it.each(["append", "change", "read"] as const)(
    "S18: close waits without a time limit for a %s without an answer, before it closes the store",
    async (name) => {
      const memory = createMemoryStore();
      const gate = createDeferred<void>();
      const calls: string[] = [];
      const held = async (...given: readonly [never]): Promise<never> => {
        calls.push(name);
        await gate.promise;
        return (await memory[name](...given)) as never;
      };
      const close = async (): Promise<void> => void calls.push("close");
      const clock = createFakeClock();
      await createBench(memory);
      const log = createRunLog({ store: { ...memory, [name]: held, close }, clock });
      const asked = {
        append: async () => log.append("r", [TOKEN], ADA),
        change: async () => log.claim("r", { ...ADA, leaseMs: 60_000 }),
        read: async () => log.readPage("r", ADA),
      }[name]();
      await expect.poll(() => calls).toContain(name);
      const closed = log.close();
      // Much later.
      clock.advance(3_600_000);
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls).not.toContain("close");
      gate.resolve();
      await asked;
      await closed;
      expect(calls.at(-1)).toBe("close");
    },
  );
});

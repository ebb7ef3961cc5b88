import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDeferred } from "./deferred.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import type { AppendRequest } from "../src/rules/append.ts";
import { JsonText } from "../src/rules/json-text.ts";
import type { AppendReceipt } from "../src/rules/receipt.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { batches } from "./run-draft.ts";

const TOKEN = { eventType: "TOKEN" };

async function createBench(store: RunEventStore = createMemoryStore()): Promise<RunLog> {
  const log = createRunLog({ store, clock: createFakeClock() });
  await log.createRun({ runId: "r", ownerId: "ada" });
  return log;
}

/** A memory store whose appends wait for the test, and are counted. */
function createHeldStore(): {
  readonly store: RunEventStore;
  readonly groups: (readonly AppendRequest[])[];
  readonly go: () => void;
} {
  const memory = createMemoryStore();
  const groups: (readonly AppendRequest[])[] = [];
  const gate = createDeferred<void>();
  const store: RunEventStore = {
    ...memory,
    async append(requests) {
      groups.push(requests);
      await gate.promise;
      return memory.append(requests);
    },
  };
  return { store, groups, go: () => gate.resolve() };
}

it.each([0, 1.5, undefined])(
  "a store that takes %s appends at once is a TypeError",
  (appendsAtOnce) => {
    const store = createMemoryStore();
    const capabilities = { ...store.capabilities, appendsAtOnce: appendsAtOnce as number };
    expect(() => createRunLog({ store: { ...store, capabilities } })).toThrow(TypeError);
  },
);

describe("append", () => {
  it("W9: concurrent appends share commits, and each batch is one stretch of the log, in the order of the calls", async () => {
    await fc.assert(
      fc.asyncProperty(batches("live"), async (log) => {
        const runs = await createBench();
        const receipts = await Promise.all(log.map((drafts) => runs.append("r", drafts)));
        let last = 0;
        receipts.forEach(({ firstSequence, lastSequence, replayed }, at) => {
          expect([firstSequence, lastSequence, replayed]).toStrictEqual([
            last + 1,
            last + (log[at]?.length ?? 0),
            false,
          ]);
          last = lastSequence;
        });
        const { events } = await runs.readPage("r");
        expect(events.map((event) => event.payload)).toStrictEqual(
          log.flat().map(({ payload }) => JsonText.of(payload).text),
        );
        await runs.close();
      }),
      { numRuns: 50 },
    );
  });

  it("W9: appends of one turn go to the store as one call", async () => {
    const { store, groups, go } = createHeldStore();
    const log = await createBench(store);
    go();
    await Promise.all([
      log.append("r", [TOKEN]),
      log.append("r", [TOKEN]),
      log.append("none", [TOKEN]).catch(() => "refused"),
    ]);
    expect(groups.map((group) => group.length)).toStrictEqual([3]);
    await log.close();
  });

  it("W7: of two appends that race to end a run one does, and the other is refused with how it ended", async () => {
    const log = await createBench();
    const [won, lost] = await Promise.allSettled([
      log.append("r", [{ eventType: "RUN_COMPLETED" }]),
      log.append("r", [{ eventType: "RUN_FAILED" }]),
    ]);
    expect(won).toMatchObject({ status: "fulfilled", value: { runStatus: "completed" } });
    expect(lost).toMatchObject({
      status: "rejected",
      reason: { code: "run_finished", details: { runStatus: "completed", lastSequence: 1 } },
    });
    await log.close();
  });

  it("W11: of two appends that expect the same sequence one lands", async () => {
    const log = await createBench();
    const [won, lost] = await Promise.allSettled([
      log.append("r", [TOKEN], { expectedSequence: 0 }),
      log.append("r", [TOKEN], { expectedSequence: 0 }),
    ]);
    expect(won.status).toBe("fulfilled");
    expect(lost).toMatchObject({
      reason: { code: "sequence_conflict", details: { lastSequence: 1 } },
    });
    await log.close();
  });

  it("W10: a key belongs to its run, and a refused append does not use it up", async () => {
    const log = await createBench();
    await log.createRun({ runId: "s", ownerId: "ada" });
    const keyed = { idempotencyKey: "k" };
    await expect(log.append("r", [TOKEN], { ...keyed, expectedSequence: 9 })).rejects.toMatchObject(
      {
        code: "sequence_conflict",
      },
    );
    const first = await log.append("r", [TOKEN], keyed);
    expect(await log.append("s", [TOKEN], keyed)).toStrictEqual(first);
    expect(await log.append("r", [TOKEN], keyed)).toStrictEqual({ ...first, replayed: true });
    await expect(log.append("r", [TOKEN, TOKEN], keyed)).rejects.toMatchObject({
      code: "idempotency_key_reused",
    });
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
    await expect(log.append("r", [TOKEN], options)).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(groups).toStrictEqual([]);
    await log.close();
  });

  it("at most 64 MiB of appends wait for a store that does not answer", async () => {
    const { store, groups, go } = createHeldStore();
    const log = await createBench(store);
    const payload = JsonText.of("x".repeat(250_000));
    const batch = Array.from({ length: 100 }, () => ({ eventType: "TOKEN", payload }));
    const calls: Promise<AppendReceipt>[] = [];
    for (let count = 0; count < 4; count++) calls.push(log.append("r", batch));
    const results = Promise.allSettled(calls);
    await expect.poll(() => groups.length).toBe(1);
    go();
    expect((await results).map(({ status }) => status)).toStrictEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    expect(await calls[3]?.catch((error: unknown) => error)).toMatchObject({
      code: "store_unavailable",
      retryable: true,
      ambiguous: false,
    });
    await log.close();
  });
});

describe("close", () => {
  it("S18: close lets the appends under way land, ends the readers, and refuses later calls", async () => {
    const { store, groups, go } = createHeldStore();
    const clock = createFakeClock();
    const log = createRunLog({ store, clock });
    await log.createRun({ runId: "r", ownerId: "ada" });
    const appended = log.append("r", [TOKEN]);
    const wait = log.waitFor("r", { since: 0, signal: new AbortController().signal });
    const ended = expect(wait).rejects.toMatchObject({ code: "store_unavailable" });
    await expect.poll(() => groups.length).toBe(1);
    const [closed, again] = [log.close(), log.close()];
    await ended;
    await expect(log.append("r", [TOKEN])).rejects.toMatchObject({
      code: "store_unavailable",
      ambiguous: false,
    });
    go();
    expect(await appended).toMatchObject({ lastSequence: 1 });
    await Promise.all([closed, again]);
    await expect(log.readPage("r")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(clock.timers()).toBe(0);
  });

  it.each([
    ["append", true],
    ["read", true],
    ["claim", false],
  ] as const)(
    "S18: for %s without an answer of the store it is %s that close waits, without a time limit, before it closes the store",
    async (name, isWaitedFor) => {
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
      const log = createRunLog({ store: { ...memory, [name]: held, close }, clock });
      await log.createRun({ runId: "r", ownerId: "ada" });
      const asked = {
        append: async () => log.append("r", [TOKEN]),
        claim: async () => log.claim("r", { leaseMs: 60_000 }),
        read: async () => log.readPage("r"),
      }[name]();
      await expect.poll(() => calls).toContain(name);
      const closed = log.close();
      // Much later.
      clock.advance(3_600_000);
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls.includes("close")).toBe(!isWaitedFor);
      gate.resolve();
      await asked;
      await closed;
      expect(calls.at(-1)).toBe("close");
    },
  );
});

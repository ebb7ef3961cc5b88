import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDeferred } from "./deferred.ts";
import { createFakeClock } from "./fake-clock.ts";
import type { AppendReceipt } from "../src/receipt.ts";
import { JsonText } from "../src/json-text.ts";
import { createMemoryStore } from "../src/memory.ts";
import { createRunLog, type RunLog } from "../src/run-log.ts";
import type { AppendRequest, RunEventStore } from "../src/store.ts";
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

  it("W9: what one turn appends goes to the store as one call", async () => {
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

  it("W7: of two that race to end a run one does, and the other is told how it ended", async () => {
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

  it("W11: of two that expect the same sequence one lands", async () => {
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

  it("W10: a key belongs to its run, and a refused append burns none", async () => {
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
  ])("W3: %s is refused before anything is sent", async (_what, options) => {
    const { store, groups } = createHeldStore();
    const log = await createBench(store);
    await expect(log.append("r", [TOKEN], options)).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(groups).toStrictEqual([]);
    await log.close();
  });

  it("keeps no more than 64 MiB waiting for a store that does not answer", async () => {
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

describe("createRun", () => {
  it("S16, W8: is idempotent for its owner, and refused to anybody else", async () => {
    const log = await createBench();
    const first = await log.createRun({ runId: "x", ownerId: "ada", metadata: { a: 1 } });
    const again = await log.createRun({ runId: "x", ownerId: "ada", metadata: { b: 2 } });
    expect([first.created, again.created]).toStrictEqual([true, false]);
    expect(again.run).toStrictEqual(first.run);
    await expect(log.createRun({ runId: "x", ownerId: "eve" })).rejects.toMatchObject({
      code: "run_id_taken",
    });
    await log.close();
  });

  it("W8: names the run itself if it is not told how", async () => {
    const log = await createBench();
    const { run } = await log.createRun({ ownerId: "ada" });
    expect(run.runId).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    await log.close();
  });

  it("W3: refuses an id that is none, and metadata that is too large or no JSON", async () => {
    const log = await createBench();
    await expect(log.createRun({ runId: "a/b", ownerId: "ada" })).rejects.toMatchObject({
      code: "invalid_request",
    });
    await expect(
      log.createRun({ ownerId: "ada", metadata: "x".repeat(262_144) }),
    ).rejects.toMatchObject({
      code: "payload_too_large",
    });
    await expect(log.createRun({ ownerId: "ada", metadata: 1n })).rejects.toMatchObject({
      code: "invalid_event",
    });
    await log.close();
  });
});

describe("readPage and listRuns", () => {
  it("W15: a page is at most 500 events unless told otherwise, and refuses what is no cursor or limit", async () => {
    const log = await createBench();
    await log.append(
      "r",
      Array.from({ length: 501 }, () => TOKEN),
    );
    expect((await log.readPage("r")).events).toHaveLength(500);
    expect((await log.readPage("r", { since: 500 })).events).toHaveLength(1);
    for (const since of [-1, 0.5, Number.NaN])
      await expect(log.readPage("r", { since })).rejects.toMatchObject({ code: "invalid_cursor" });
    for (const limit of [0, -1, 0.5, Number.NaN])
      await expect(log.readPage("r", { limit })).rejects.toMatchObject({ code: "invalid_request" });
    await expect(log.readPage("r", { since: 502 })).rejects.toMatchObject({
      code: "cursor_ahead",
      details: { lastSequence: 501 },
    });
    await log.close();
  });

  it("W15: a page ends at 4 MiB", async () => {
    const log = await createBench();
    const payload = JsonText.of("x".repeat(250_000));
    await log.append(
      "r",
      Array.from({ length: 20 }, () => ({ eventType: "TOKEN", payload })),
    );
    const { events, hasMore } = await log.readPage("r");
    expect([events.length, hasMore]).toStrictEqual([16, true]);
    await log.close();
  });

  it("W14: the pages of a list are every run of the owner once, newest first, whatever is created meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (count, limit) => {
          const log = createRunLog({ store: createMemoryStore() });
          for (let at = 0; at < count; at++)
            await log.createRun({ runId: `r${at}`, ownerId: "ada" });
          await log.createRun({ ownerId: "eve" });
          const seen: string[] = [];
          let before: number | null = null;
          do {
            const page = await log.listRuns({ ownerId: "ada", runStatus: null, before, limit });
            expect(page.runs.length).toBeLessThanOrEqual(limit);
            seen.push(...page.runs.map((run) => run.runId));
            before = page.next;
            await log.createRun({ ownerId: "ada" });
          } while (before !== null);
          expect(seen).toStrictEqual(
            Array.from({ length: count }, (_, at) => `r${count - 1 - at}`),
          );
          await log.close();
        },
      ),
      { numRuns: 50 },
    );
  });

  it("W14: a list may be of one status, and refuses what is no limit", async () => {
    const log = await createBench();
    await log.createRun({ runId: "s", ownerId: "ada" });
    await log.cancel("s", "ada");
    const query = { ownerId: "ada", before: null, limit: 5 };
    const ids = async (runStatus: "queued" | "cancelled" | "failed"): Promise<readonly string[]> =>
      (await log.listRuns({ ...query, runStatus })).runs.map((run) => run.runId);
    expect([await ids("queued"), await ids("cancelled"), await ids("failed")]).toStrictEqual([
      ["r"],
      ["s"],
      [],
    ]);
    await expect(log.listRuns({ ...query, runStatus: null, limit: 0 })).rejects.toMatchObject({
      code: "invalid_request",
    });
    await log.close();
  });
});

describe("waitFor", () => {
  const waiting = (since: number, signal = new AbortController().signal) => ({ since, signal });

  it("W17: resolves once the log goes on, or has ended, and at once if it has", async () => {
    const log = await createBench();
    const waits = [log.waitFor("r", waiting(0)), log.waitFor("r", waiting(0))];
    await log.append("r", [TOKEN]);
    await Promise.all(waits);
    await log.waitFor("r", waiting(0));
    const end = log.waitFor("r", waiting(1));
    await log.append("r", [{ eventType: "RUN_COMPLETED" }]);
    await end;
    await log.waitFor("r", waiting(2));
    await log.close();
  });

  it("W17: gives up with the signal's reason, and leaves nothing", async () => {
    const clock = createFakeClock();
    const log = createRunLog({ store: createMemoryStore(), clock });
    await log.createRun({ runId: "r", ownerId: "ada" });
    const controller = new AbortController();
    const wait = log.waitFor("r", waiting(0, controller.signal));
    const reason = new Error("time is up");
    controller.abort(reason);
    await expect(wait).rejects.toBe(reason);
    expect(clock.timers()).toBe(0);
    await log.close();
  });
});

describe("close", () => {
  it("S18: lets the appends under way land, ends the readers, and refuses what comes after", async () => {
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
});

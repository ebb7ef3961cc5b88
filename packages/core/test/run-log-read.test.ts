import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { JsonText } from "../src/rules/json-text.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";
import { createFakeClock } from "./fake-clock.ts";

const TOKEN = { eventType: "TOKEN" };

async function createBench(): Promise<RunLog> {
  const log = createRunLog({ store: createMemoryStore(), clock: createFakeClock() });
  await log.createRun({ runId: "r", ownerId: "ada" });
  return log;
}

describe("readPage and listRuns", () => {
  it("W15: a page is at most 500 events by default, and an invalid cursor or limit is refused", async () => {
    const log = await createBench();
    await log.append(
      "r",
      Array.from({ length: 501 }, () => TOKEN),
      ADA,
    );
    expect((await log.readPage("r", ADA)).events).toHaveLength(500);
    expect((await log.readPage("r", { ...ADA, since: 500 })).events).toHaveLength(1);
    for (const since of [-1, 0.5, Number.NaN])
      await expect(log.readPage("r", { ...ADA, since })).rejects.toMatchObject({
        code: "invalid_cursor",
      });
    for (const size of [{ limit: 0 }, { limit: 0.5 }, { limit: Number.NaN }, { maxBytes: 0 }])
      await expect(log.readPage("r", { ...ADA, ...size })).rejects.toMatchObject({
        code: "invalid_request",
      });
    await expect(log.readPage("r", { ...ADA, since: 502 })).rejects.toMatchObject({
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
      ADA,
    );
    const { events, hasMore } = await log.readPage("r", ADA);
    expect([events.length, hasMore]).toStrictEqual([16, true]);
    await log.close();
  });

  it("W14: the pages of a list are every run of the owner once, newest first, even if more are created meanwhile", async () => {
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
            const page = await log.listRuns({
              topic: null,
              ownerId: "ada",
              runStatus: null,
              before,
              limit,
            });
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

  it("W14: a page of a list is full, and another follows, even if some of its runs are removed while it is read", async () => {
    const memory = createMemoryStore();
    const others = createRunLog({ store: memory });
    for (const runId of ["a", "b", "c", "d", "e"]) await others.createRun({ ...ADA, runId });
    const leaving = ["d"];
    const log = createRunLog({
      store: {
        ...memory,
        async list(query) {
          const heads = await memory.list(query);
          const runId = leaving.shift();
          if (runId !== undefined) {
            await others.cancel(runId, ADA);
            await others.deleteRun(runId, ADA);
          }
          return heads;
        },
      },
    });
    const query = { ...ADA, topic: null, runStatus: null, limit: 2 };
    const first = await log.listRuns({ ...query, before: null });
    expect(first.runs.map(({ runId }) => runId)).toStrictEqual(["e", "c"]);
    const second = await log.listRuns({ ...query, before: first.next });
    expect([second.runs.map(({ runId }) => runId), second.next]).toStrictEqual([["b", "a"], null]);
    await log.close();
  });

  it("S12: a long list is read in parts, each no larger than a read may be", async () => {
    const memory = createMemoryStore();
    const reads: number[] = [];
    const log = createRunLog({
      store: {
        ...memory,
        read(queries) {
          reads.push(queries.length);
          return memory.read(queries);
        },
      },
    });
    const runIds = Array.from({ length: 1_500 }, (_, at) => `r-${at}`);
    await Promise.all(runIds.map((runId) => log.createRun({ ...ADA, runId })));
    const query = { ...ADA, topic: null, runStatus: null, before: null };
    const { runs, next } = await log.listRuns({ ...query, limit: 2_000 });
    expect([runs.length, next]).toStrictEqual([1_500, null]);
    expect(Math.max(...reads)).toBeLessThanOrEqual(1_024);
    await log.close();
  });
});

describe("waitFor", () => {
  const waiting = (since: number, signal = new AbortController().signal) => ({
    ...ADA,
    since,
    signal,
  });

  it("W17: waitFor resolves once the log has a new event or the run has finished, and at once if so", async () => {
    const log = await createBench();
    const waits = [log.waitFor("r", waiting(0)), log.waitFor("r", waiting(0))];
    await log.append("r", [TOKEN], ADA);
    await Promise.all(waits);
    await log.waitFor("r", waiting(0));
    const end = log.waitFor("r", waiting(1));
    await log.append("r", [{ eventType: "RUN_COMPLETED" }], ADA);
    await end;
    await log.waitFor("r", waiting(2));
    await log.close();
  });

  it("W17: waitFor rejects with the signal's reason, and leaves nothing", async () => {
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

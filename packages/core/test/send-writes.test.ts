import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import { createCommitIds } from "../src/log/own-keys.ts";
import type { SendTimes } from "../src/log/send-again.ts";
import { sendWrites } from "../src/log/send-writes.ts";
import { appendWrite } from "../src/log/write.ts";
import type { AppendOutcome, AppendRequest } from "../src/rules/append.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { nameKey, type RunName } from "../src/rules/head.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createHastyClock } from "./hasty-clock.ts";
import { AMBIGUOUS, createLossyStore, type Fate } from "./lossy-store.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { createRunWrites, RUN } from "./run-writes.ts";

const ADA = { ownerId: "ada" };

/** Times that a test need not wait for. */
function hastyTimes(isClosing = (): boolean => false): SendTimes {
  return { isClosing, clock: createHastyClock(), report: null };
}

const fate = fc.constantFrom<Fate>("answered", "landed", "half landed", "lost", "refused", "fatal");

/** The result of each request of a group. */
async function send(
  store: RunEventStore,
  group: readonly AppendRequest[],
  times: SendTimes = hastyTimes(),
): Promise<readonly (AppendOutcome | Error)[]> {
  const results: (AppendOutcome | Error)[] = [];
  const sent = group.map((request, index) => ({
    item: appendWrite(request),
    key: nameKey(request),
    settle(result: unknown): void {
      expect(results[index]).toBeUndefined();
      results[index] = result as AppendOutcome | Error;
    },
  }));
  await sendWrites(store, sent, () => {}, times, createCommitIds());
  return results;
}

/** The payloads of a run's log: each request of these tests writes its own number. */
async function landed(store: RunEventStore, runId = "r"): Promise<readonly string[]> {
  const query = { ...RUN, runId, since: 0, limit: 1_000, maxBytes: 1_000_000 };
  const [result] = await store.read([query]);
  const tokens = result?.events.filter(({ eventType }) => eventType === "TOKEN") ?? [];
  return tokens.map(({ payload }) => payload);
}

/** A store with runs. Of one that has started the store takes appends as plain; of another, the first append is decided by its rule. */
async function open(
  fates: readonly Fate[],
  state: "started" | "queued" = "queued",
): Promise<RunEventStore> {
  const store = createMemoryStore();
  const writes = createRunWrites(store);
  for (const runId of ["r", "other"]) {
    await writes.create({ ...RUN, runId });
    if (state === "started") await writes.append(appendRequest([newEvent("STARTED")], { runId }));
  }
  return createLossyStore(fates, store);
}

const runs = fc.constantFrom("started" as const, "queued" as const);

function didLand(result: AppendOutcome | Error | undefined): boolean {
  return (
    result !== undefined && "outcome" in result && ["appended", "replayed"].includes(result.outcome)
  );
}

describe("sendWrites", () => {
  const appends = fc.array(
    fc.record({ isKeyed: fc.boolean(), runId: fc.constantFrom("r", "r", "other") }),
    { minLength: 1, maxLength: 6 },
  );

  it("S7: under any losses no append lands twice, and acknowledged appends have landed", async () => {
    await fc.assert(
      fc.asyncProperty(appends, fc.array(fate, { maxLength: 6 }), runs, async (all, fates, run) => {
        const store = await open(fates, run);
        const group = all.map(({ isKeyed, runId }, at) =>
          appendRequest([newEvent("TOKEN", String(at))], {
            runId,
            idempotencyKey: isKeyed ? `k${at}` : null,
          }),
        );
        const results = await send(store, group);
        expect(results).toHaveLength(group.length);
        const log = [...(await landed(store)), ...(await landed(store, "other"))];
        expect(new Set(log).size).toBe(log.length);
        results.forEach((result, at) => {
          if (didLand(result)) expect(log).toContain(String(at));
          // Not ambiguous means that the caller may rely on it: nothing was written.
          else if (!(result as RunEventsError).ambiguous) expect(log).not.toContain(String(at));
        });
      }),
      { numRuns: 500 },
    );
  });

  it("S7: with a key each event lands once, through 10 s of losses and refusals, even ones that seem permanent", async () => {
    const losses = fc.tuple(
      fc.constantFrom(...AMBIGUOUS),
      fc.array(fc.constantFrom<Fate>(...AMBIGUOUS, "refused", "fatal"), { maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), losses, runs, async (count, lost, run) => {
        const [first, more] = lost;
        const store = await open([first, ...more], run);
        const payloads = Array.from({ length: count }, (_, at) => String(at));
        const group = payloads.map((payload) =>
          appendRequest([newEvent("TOKEN", payload)], { idempotencyKey: payload }),
        );
        const results = await send(store, group);
        expect(results.map((result) => didLand(result))).toStrictEqual(payloads.map(() => true));
        expect(await landed(store)).toStrictEqual(payloads);
      }),
    );
  });

  it("S7: when sending again does not help, the first, ambiguous error is thrown", async () => {
    const outage: readonly Fate[] = ["lost", ...Array<Fate>(60).fill("refused"), "answered"];
    for (const fates of [outage, ["lost", "closed", "answered"]] as const) {
      const store = await open(fates);
      const group = [appendRequest([newEvent("TOKEN")], { idempotencyKey: "k" })];
      expect(await send(store, group)).toMatchObject([
        { message: "The connection was cut: lost.", ambiguous: true },
      ]);
      expect(await landed(store)).toStrictEqual([]);
    }
  });

  it("S7, S18: a log that closes sends once more and then gives up, so that it can end", async () => {
    const store = await open(["lost", "refused", "answered"]);
    const group = [appendRequest([newEvent("TOKEN")], { idempotencyKey: "k" })];
    expect(
      await send(
        store,
        group,
        hastyTimes(() => true),
      ),
    ).toMatchObject([{ message: "The connection was cut: lost." }]);
    expect(await landed(store)).toStrictEqual([]);
  });

  it("S2: a run that fails does not fail the others of its group, in doubt or not", async () => {
    for (const ambiguous of [true, false]) {
      const store = createMemoryStore();
      const writes = createRunWrites(store);
      for (const runId of ["r", "bad", "other"]) await writes.create({ ...RUN, runId });
      async function meet<Item extends RunName, Answer>(
        items: readonly Item[],
        call: (items: readonly Item[]) => Promise<Answer>,
      ): Promise<Answer> {
        if (!items.some(({ runId }) => runId === "bad")) return call(items);
        // As much has landed as in a cluster one of whose nodes is away.
        if (ambiguous) await call(items.filter(({ runId }) => runId !== "bad"));
        throw new RunEventsError("store_unavailable", "bad", { ambiguous, retryable: false });
      }
      const troubled: RunEventStore = {
        ...store,
        append: (plains) => meet(plains, (some) => store.append(some)),
        change: (changes) => meet(changes, (some) => store.change(some)),
      };
      const group = ["r", "bad", "other", "r"].map((runId, at) => ({
        ...appendRequest([newEvent("TOKEN", String(at))], { idempotencyKey: `k${at}` }),
        runId,
      }));
      const results = await send(troubled, group);
      expect(results.map((result) => didLand(result))).toStrictEqual([true, false, true, true]);
      expect(results[1]).toMatchObject({ message: "bad", ambiguous });
      expect(await landed(store)).toStrictEqual(["0", "3"]);
    }
  });

  it("S7: a log holds its process while it waits to send again", async () => {
    const script = `
      import { createMemoryStore, createRunEvents, RunEventsError } from "@tm/run-events-core";
      const store = createMemoryStore();
      let failures = 3;
      const lossy = { ...store, capabilities: { ...store.capabilities, losesAnswers: true },
        async append(plains) {
          if (failures-- > 0) throw new RunEventsError("store_unavailable", "lost", { ambiguous: true });
          return store.append(plains);
        } };
      const runs = createRunEvents({ store: lossy });
      const { runId } = await runs.create({ ownerId: "ada" });
      console.log((await runs.append(runId, [{ eventType: "TOKEN" }], { ownerId: "ada" })).lastSequence);
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["-C", "@tm/source", "--input-type=module", "--eval", script],
      { cwd: import.meta.dirname },
    );
    expect(stdout).toBe("1\n");
  });

  it("S7: an append that is not in doubt is not sent again", async () => {
    const group = [appendRequest([newEvent("TOKEN")], { idempotencyKey: "k" })];
    expect(await send(await open(["refused"]), group)).toMatchObject([{ ambiguous: false }]);
    const failure = new Error("a driver that breaks S20");
    const store = { ...createMemoryStore(), append: () => Promise.reject(failure) };
    expect((await send(store, group))[0]).toBe(failure);
  });
});

describe("a log over a store that loses answers", () => {
  it("S7: the log gives each append its own key, so that each event lands once, in order", async () => {
    const fates = fc.array(fc.constantFrom<Fate>("answered", ...AMBIGUOUS), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fates, fc.integer({ min: 1, max: 6 }), async (losses, count) => {
        const store = await open(losses);
        const log = createRunLog({ store, clock: createHastyClock() });
        const payloads = Array.from({ length: count }, (_, at) => at);
        const receipts = await Promise.all(
          payloads.map((payload) => log.append("r", [{ eventType: "TOKEN", payload }], ADA)),
        );
        expect(await landed(store)).toStrictEqual(payloads.map(String));
        // The caller used no key, so to the caller nothing is a replay.
        expect(receipts).toStrictEqual(
          payloads.map((at) => ({
            firstSequence: at + 1,
            lastSequence: at + 1,
            runStatus: "running",
            currentPhase: null,
            replayed: false,
          })),
        );
        await log.close();
      }),
      { numRuns: 50 },
    );
  });

  it("S7, W13: a cancel whose answer is lost cancels once", async () => {
    const store = await open(["landed"]);
    const log = createRunLog({ store, clock: createHastyClock() });
    await expect(log.cancel("r", ADA)).resolves.toMatchObject({
      runStatus: "cancelled",
      lastSequence: 1,
    });
    await log.close();
  });

  it("S7: a store that loses no answer gets no key, and its ambiguous error surfaces", async () => {
    const lossy = await open(["lost"]);
    const log = createRunLog({
      store: { ...lossy, capabilities: createMemoryStore().capabilities },
    });
    await expect(log.append("r", [{ eventType: "TOKEN" }], ADA)).rejects.toMatchObject({
      ambiguous: true,
    });
    await log.close();
  });
});

import { readFile } from "node:fs/promises";
import { createContext, runInContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunEventsError } from "../src/rules/errors.ts";
import type { RunEvent } from "../src/rules/event.ts";
import { JsonText } from "../src/rules/json-text.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import type { RunEvents } from "../src/run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";
import { everyCall } from "./every-call.ts";

const NOW = Date.UTC(2026, 5, 20, 12, 1);
const TIME = "2026-06-20T12:01:00.000Z";

let runs: RunEvents;

beforeEach(() => {
  runs = createRunEvents({ store: createMemoryStore({ now: () => NOW }) });
});

afterEach(() => runs.close());

async function collect(events: AsyncIterable<RunEvent>): Promise<readonly RunEvent[]> {
  const seen: RunEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

/** The example in the comment of an export. */
async function exampleOf(file: string, name: string): Promise<string> {
  const source = await readFile(new URL(`../src/${file}`, import.meta.url), "utf8");
  const docs = source.slice(0, source.indexOf(`export function ${name}(`));
  const example = docs.slice(
    docs.lastIndexOf("@example") + "@example".length,
    docs.lastIndexOf("*/"),
  );
  return example.replaceAll(/^ \* ?/gm, "");
}

describe("createRunEvents", () => {
  it("the example of createRunEvents prints what it should", async () => {
    const printed: unknown[][] = [];
    const example = await exampleOf("create-run-events.ts", "createRunEvents");
    const context = createContext({
      createRunEvents,
      createMemoryStore,
      console: { log: (...parts: unknown[]) => printed.push(parts) },
    });
    await runInContext(`(async () => {${example}})()`, context);
    expect(printed).toStrictEqual([
      [1, "RUN_STARTED", null],
      [2, "RUN_COMPLETED", { answer: 42 }],
    ]);
  });

  it("the example of createMemoryStore opens a store", async () => {
    const example = await exampleOf("store/memory.ts", "createMemoryStore");
    const context = createContext({ createRunEvents, createMemoryStore });
    await runInContext(`(async () => {${example}; await runs.close();})()`, context);
  });

  it("W4: two owners may have the same id, and neither can tell", async () => {
    for (const ownerId of ["ada", "eve"]) await runs.create({ ownerId, runId: "r" });
    await runs.append("r", [{ eventType: "TOKEN" }], ADA);
    await runs.cancel("r", { ownerId: "eve" });
    expect(await runs.get("r", ADA)).toMatchObject({ runStatus: "running", lastSequence: 1 });
    expect(await runs.get("r", { ownerId: "eve" })).toMatchObject({ runStatus: "cancelled" });
  });

  it("W8, W6: a new run is queued, with all its fields", async () => {
    const created = await runs.create({ ownerId: "ada", runId: "r", metadata: { model: "m" } });
    expect(created).toStrictEqual({
      runId: "r",
      ownerId: "ada",
      runStatus: "queued",
      currentPhase: null,
      lastSequence: 0,
      createdAt: TIME,
      updatedAt: TIME,
      finishedAt: null,
      topic: null,
      lease: null,
      metadata: { model: "m" },
    });
    expect(await runs.get("r", ADA)).toStrictEqual(created);
    expect(await runs.create({ ownerId: "ada", runId: "r" })).toStrictEqual(created);
  });

  it("W9, W6: an append answers its sequences, and the status and phase after it", async () => {
    const { runId } = await runs.create(ADA);
    const receipt = await runs.append(
      runId,
      [{ eventType: "RUN_STARTED" }, { eventType: "PHASE_STARTED", payload: { phase: "compose" } }],
      ADA,
    );
    expect(receipt).toStrictEqual({
      firstSequence: 1,
      lastSequence: 2,
      runStatus: "running",
      currentPhase: "compose",
      replayed: false,
    });
    await runs.append(runId, [{ eventType: "RUN_COMPLETED" }], ADA);
    expect(await runs.get(runId, ADA)).toMatchObject({
      runStatus: "completed",
      currentPhase: "compose",
      lastSequence: 3,
      finishedAt: TIME,
    });
  });

  it("W15, W1: a page has payloads as values, those of a JsonText too", async () => {
    const { runId } = await runs.create(ADA);
    const payload = JsonText.parse('{"big": 12345678901234567890, "s": "\\u0000\\ud800"}');
    await runs.append(runId, [{ eventType: "TOKEN", payload }, { eventType: "TOKEN" }], ADA);
    expect(await runs.read(runId, { ...ADA, limit: 1 })).toStrictEqual({
      events: [
        {
          sequence: 1,
          eventType: "TOKEN",
          payload: { big: Number("12345678901234567890"), s: "\u0000\ud800" },
          createdAt: TIME,
        },
      ],
      runStatus: "running",
      currentPhase: null,
      lastSequence: 2,
      hasMore: true,
    });
    const { events } = await runs.log.readPage(runId, ADA);
    expect(events[0]?.payload).toBe('{"big":12345678901234567890,"s":"\\u0000\\ud800"}');
  });

  it("W7: a tail yields every event, also new ones, up to the terminal one", async () => {
    const { runId } = await runs.create(ADA);
    await runs.append(runId, [{ eventType: "RUN_STARTED" }], ADA);
    const [whole, later] = [
      collect(runs.tail(runId, ADA)),
      collect(runs.tail(runId, { ...ADA, since: 1 })),
    ];
    for (let at = 0; at < 5; at++)
      await runs.append(runId, [{ eventType: "TOKEN", payload: at }], ADA);
    await runs.append(
      runId,
      [{ eventType: "TOKEN", payload: 5 }, { eventType: "RUN_FAILED" }],
      ADA,
    );
    const events = await whole;
    expect(events.map((event) => event.sequence)).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(events.map((event) => event.payload)).toStrictEqual([null, 0, 1, 2, 3, 4, 5, null]);
    expect(await later).toStrictEqual(events.slice(1));
    expect(await collect(runs.tail(runId, { ...ADA, since: 8 }))).toStrictEqual([]);
  });

  it("W13: a cancel ends a live run, once, and leaves a finished one as it is", async () => {
    const { runId } = await runs.create(ADA);
    const first = await runs.cancel(runId, ADA);
    expect(first).toMatchObject({ runStatus: "cancelled", lastSequence: 1, finishedAt: TIME });
    expect(await runs.cancel(runId, ADA)).toStrictEqual(first);
    const other = await runs.create({ ownerId: "ada" });
    await runs.append(other.runId, [{ eventType: "RUN_COMPLETED" }], ADA);
    expect(await runs.cancel(other.runId, ADA)).toMatchObject({
      runStatus: "completed",
      lastSequence: 1,
    });
  });

  it("S17, W14: delete removes a finished run whole, and refuses a live one", async () => {
    await runs.create({ ownerId: "ada", runId: "r" });
    await runs.append("r", [{ eventType: "TOKEN" }], ADA);
    await expect(runs.delete("r", ADA)).rejects.toMatchObject({ code: "run_active" });
    expect(await runs.get("r", ADA)).toMatchObject({ lastSequence: 1 });
    await runs.cancel("r", ADA);
    await runs.delete("r", ADA);
    await expect(runs.get("r", ADA)).rejects.toMatchObject({ code: "not_found" });
    expect(await runs.create({ ...ADA, runId: "r" })).toMatchObject({
      lastSequence: 0,
      runStatus: "queued",
    });
    expect((await runs.read("r", ADA)).events).toStrictEqual([]);
  });

  it("W14: list answers an owner's runs, newest first, page by page", async () => {
    for (const runId of ["a", "b", "c"]) await runs.create({ ownerId: "ada", runId });
    await runs.create({ ownerId: "eve" });
    const first = await runs.list({ ownerId: "ada", limit: 2 });
    expect(first.runs.map((run) => run.runId)).toStrictEqual(["c", "b"]);
    const second = await runs.list({
      ownerId: "ada",
      limit: 2,
      cursor: first.nextCursor ?? undefined,
    });
    expect([second.runs.map((run) => run.runId), second.nextCursor]).toStrictEqual([["a"], null]);
    await runs.cancel("b", ADA);
    const cancelled = await runs.list({ ownerId: "ada", status: "cancelled" });
    expect(cancelled.runs.map((run) => run.runId)).toStrictEqual(["b"]);
    const none = runs.list({ ...ADA, limit: 0 });
    await expect(none).rejects.toMatchObject({ code: "invalid_request" });
  });

  it("W4: in every call, another owner's run behaves as if it did not exist", async () => {
    const { runId } = await runs.create(ADA);
    const owner = { ownerId: "eve" };
    const failure = async (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => "no failure",
        ({ name, code, message, details }: RunEventsError) => ({ name, code, message, details }),
      );
    const nobodys = everyCall(runs, "none", owner);
    for (const [at, call] of everyCall(runs, runId, owner).entries()) {
      const theirs = await failure(call());
      expect(theirs).toMatchObject({ code: "not_found" });
      expect(theirs).toStrictEqual(await failure(nobodys[at]?.() ?? Promise.resolve()));
    }
    expect(await runs.get(runId, ADA)).toMatchObject({ lastSequence: 0 });
  });

  it("W31, W32: a claimed run takes appends of the fence alone until its release, and renewals extend the lease", async () => {
    const { runId } = await runs.create(ADA);
    const lease = { leaseMs: 5_000 };
    const claim = await runs.claim(runId, { ...ADA, ...lease });
    const { fence } = claim;
    expect(claim).toStrictEqual({ fence: NOW * 1_000 + 1, expiresAt: "2026-06-20T12:01:05.000Z" });
    await expect(runs.claim(runId, { ...ADA, ...lease })).rejects.toMatchObject({
      code: "claimed",
      details: { expiresAt: claim.expiresAt },
    });
    const fenced = { code: "fenced" };
    await expect(runs.append(runId, [{ eventType: "A" }], ADA)).rejects.toMatchObject(fenced);
    expect(await runs.append(runId, [{ eventType: "A" }], { ...ADA, fence })).toMatchObject({
      lastSequence: 1,
    });
    expect(await runs.renew(runId, fence, { ...ADA, leaseMs: 7_000 })).toStrictEqual({
      fence,
      expiresAt: "2026-06-20T12:01:07.000Z",
    });
    await expect(runs.renew(runId, fence + 1, { ...ADA, ...lease })).rejects.toMatchObject(fenced);
    expect(await runs.release(runId, fence, ADA)).toBeUndefined();
    expect(await runs.append(runId, [{ eventType: "A" }], ADA)).toMatchObject({ lastSequence: 2 });
    expect((await runs.claim(runId, { ...ADA, ...lease })).fence).toBeGreaterThan(fence);
  });
});

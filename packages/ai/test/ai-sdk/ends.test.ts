import { runInNewContext } from "node:vm";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type { UIMessageChunk } from "ai";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createChats } from "../../src/ai-sdk.ts";
import { asked, openRuns, OWNER, PLACE, readAll, runOf, saying, streamOf } from "./small-chats.ts";

/** A decision's view of a run that does not exist. */
const NOTHING = { head: null, receipts: new Map(), holder: null, nowMs: 0, ordinal: 1 };

describe("the end of an answer", () => {
  it("comes later than the first token, which does not wait for others", async () => {
    // With this timer, an event that waits for others is never written.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const chats = createChats({ runs: openRuns() });
    const { stream } = await chats.answer(
      { ...PLACE, message: asked("a") },
      () =>
        new ReadableStream<UIMessageChunk>({
          start(controller) {
            controller.enqueue({ type: "text-start", id: "t" });
            controller.enqueue({ type: "text-delta", id: "t", delta: "Tea" });
            controller.enqueue({ type: "text-delta", id: "t", delta: " is" });
          },
        }),
    );
    const types: string[] = [];
    for await (const { type } of stream) {
      types.push(type);
      if (type === "text-delta") await chats.stop("tea", OWNER);
    }
    expect(types).toEqual(["start", "text-start", "text-delta", "abort"]);
  });

  it("an error that is thrown is hidden, unless `describeError` describes it", async () => {
    const describeError = (error: unknown): string | undefined =>
      error instanceof RangeError ? "Too long." : undefined;
    const chats = createChats({ runs: openRuns(), describeError });
    for (const [error, errorText] of [
      [new Error("a key"), "An error occurred."],
      [new RangeError("a key"), "Too long."],
    ] as const) {
      const answer = await chats.answer({ ...PLACE, message: asked("a") }, () => {
        throw error;
      });
      expect(await readAll(answer.stream)).toEqual([{ type: "error", errorText }]);
      await expect(answer.done).rejects.toBe(error);
      const { messages } = await chats.read("tea", OWNER);
      expect(messages[1]).toMatchObject({ id: answer.runId, role: "assistant", parts: [] });
      expect(runOf(messages[1])).toMatchObject({ runStatus: "failed", errorText });
    }
  });

  it("a chunk of an error ends the answer with its text, and cancels the rest", async () => {
    const chats = createChats({ runs: openRuns() });
    const cancelled = Promise.withResolvers<void>();
    const { stream, done } = await chats.answer(
      { ...PLACE, message: asked("a") },
      () =>
        new ReadableStream<UIMessageChunk>({
          start: (controller) => controller.enqueue({ type: "error", errorText: "No credit." }),
          cancel: () => cancelled.resolve(),
        }),
    );
    await cancelled.promise;
    expect(await readAll(stream)).toEqual([{ type: "error", errorText: "No credit." }]);
    await expect(done).rejects.toThrow("No credit.");
  });

  it("an answer whose model the program has stopped is not whole", async () => {
    const chats = createChats({ runs: openRuns() });
    const { stream } = await chats.answer({ ...PLACE, message: asked("a") }, () =>
      streamOf({ type: "start" }, { type: "abort" }),
    );
    expect((await readAll(stream)).at(-1)).toEqual({
      type: "error",
      errorText: "The answer was cut short.",
    });
  });

  it("a stop does not wait for a model that has not begun, and cancels what comes later", async () => {
    const chats = createChats({ runs: openRuns() });
    const late = Promise.withResolvers<ReadableStream<UIMessageChunk>>();
    const cancelled = Promise.withResolvers<void>();
    const { done, stream } = await chats.answer(
      { ...PLACE, message: asked("a") },
      () => late.promise,
    );
    expect(await chats.stop("tea", OWNER)).toBe(true);
    await expect(done).rejects.toMatchObject({ code: "run_finished" });
    expect(await readAll(stream)).toEqual([{ type: "abort" }]);
    late.resolve(new ReadableStream({ cancel: () => cancelled.resolve() }));
    await cancelled.promise;
  });

  it("an answer whose process has died does not keep the chat busy", async () => {
    const runs = openRuns();
    const chats = createChats({ runs });
    // A run without a lease is treated as one whose lease has expired.
    const dead = await runs.create({ ...OWNER, topic: "tea" });
    const { done } = await chats.answer({ ...PLACE, message: asked("a") }, () => saying("b"));
    await done;
    expect((await runs.get(dead.runId, OWNER)).runStatus).toBe("failed");
    const other = await runs.create({ ...OWNER, topic: "tea" });
    expect((await chats.read("tea", OWNER)).active).toBeNull();
    expect((await runs.get(other.runId, OWNER)).runStatus).toBe("failed");
  });

  it("an answer waits for a check of the one before it that is under way", async () => {
    const memory = createMemoryStore();
    const claimed = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<void>();
    const store: RunEventStore = {
      ...memory,
      async change(changes) {
        // A claim creates no run, and an exclusive creation sees its topic.
        const isClaim = changes.some(({ decide }) => decide(NOTHING).after === undefined);
        if (isClaim) {
          claimed.resolve();
          await refused.promise;
          // A start that does not wait for this check is refused by now.
          await new Promise(setImmediate);
        }
        const answers = await memory.change(changes);
        if (changes.some(({ topic = null }) => topic !== null)) refused.resolve();
        return answers;
      },
    };
    const runs = createRunEvents({ store });
    onTestFinished(() => runs.close());
    const chats = createChats({ runs });
    const { runId } = await runs.create({ ...OWNER, topic: "tea" });
    const looking = chats.active("tea", OWNER);
    await claimed.promise;
    const answering = chats.answer({ ...PLACE, message: asked("a") }, () => saying("b"));
    await looking;
    const { done } = await answering;
    await done;
    expect((await runs.get(runId, OWNER)).runStatus).toBe("failed");
  });

  it("`waitUntil` gets the work, and never a rejection", async () => {
    const works: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>): unknown => works.push(work);
    const chats = createChats({ runs: openRuns(), waitUntil });
    await chats.answer({ ...PLACE, message: asked("a") }, () => Promise.reject(new Error("x")));
    await expect(Promise.all(works)).resolves.toHaveLength(1);
  });

  it("a host that refuses to stay gets no answer, and one that fails later costs none", async () => {
    const refusal = new Error("`after` was called outside a request");
    const question = { ...PLACE, message: asked("a") };
    const runs = openRuns();
    const never = (): never => expect.unreachable();
    const refused = createChats({
      runs,
      waitUntil: () => {
        throw refusal;
      },
    });
    await expect(refused.answer(question, never)).rejects.toBe(refusal);
    expect(await refused.active("tea", OWNER)).toBeNull();
    const failing = createChats({ runs, waitUntil: () => Promise.reject(refusal) });
    await (
      await failing.answer(question, () => saying("b"))
    ).done;
  });

  it("a host that fails later costs none, even if its promises are of another realm", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    // Hosts such as the edge sandbox of Next.js run a program in a context of its own.
    const waitUntil = (): unknown => runInNewContext("Promise.reject('no stay')");
    const chats = createChats({ runs: openRuns(), waitUntil });
    const question = { ...PLACE, message: asked("a") };
    await (
      await chats.answer(question, () => saying("b"))
    ).done;
    expect(unhandled).toEqual([]);
  });

  it.each([["a text"], [5], [null], [{}]])(
    "a stream of %j is no answer: a whole one would be without it",
    async (value) => {
      const chats = createChats({ runs: openRuns() });
      const { done } = await chats.answer({ ...PLACE, message: asked("a") }, () =>
        streamOf({ type: "start" }, value as UIMessageChunk),
      );
      await expect(done).rejects.toThrow("Return the stream of `toUIMessageStream`.");
      const { messages } = await chats.read("tea", OWNER);
      expect(runOf(messages[1])).toMatchObject({ runStatus: "failed" });
    },
  );

  it("a chunk that is nested too deep fails the answer, even if it is larger than a payload", async () => {
    const chats = createChats({ runs: openRuns() });
    const data = [JSON.parse("[".repeat(2_000) + "]".repeat(2_000)), "x".repeat(300_000)];
    const { done } = await chats.answer({ ...PLACE, message: asked("a") }, () =>
      streamOf({ type: "data-x", data }),
    );
    await expect(done).rejects.toMatchObject({ code: "invalid_event" });
  });
});

import type { RunEvent } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { createChats } from "../../src/ai-sdk.ts";
import { StreamRuns } from "../../src/runs/stream-runs.ts";
import { createServer } from "./server.ts";
import { asked, openRuns, OWNER, PLACE, readAll, saying } from "./small-chats.ts";

describe("a question with a key", () => {
  it("that is sent again gets the same answer, while it is made and after its end", async () => {
    const chats = createChats({ runs: openRuns() });
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    const go = Promise.withResolvers<void>();
    const first = await chats.answer(question, async () => {
      await go.promise;
      return saying("Once.");
    });
    const again = await chats.answer(question, () => saying("Twice."));
    expect(again.runId).toBe(first.runId);
    go.resolve();
    const chunks = await readAll(first.stream);
    expect(await readAll(again.stream)).toEqual(chunks);
    await Promise.all([first.done, again.done]);
    const late = await chats.answer(question, () => saying("Thrice."));
    expect(await readAll(late.stream)).toEqual(chunks);
    expect((await chats.read("tea", OWNER)).messages).toHaveLength(2);
  });

  it("has another answer under another key, in another chat, and of another owner", async () => {
    const chats = createChats({ runs: openRuns() });
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    const runs = new Set<string>();
    for (const one of [
      question,
      { ...question, idempotencyKey: "l" },
      { ...question, chatId: "wine" },
      { ...question, ownerId: "bob" },
    ]) {
      const { runId, done } = await chats.answer(one, () => saying("b"));
      await done;
      runs.add(runId);
    }
    expect(runs.size).toBe(4);
  });

  it("says how the answer has ended", async () => {
    const chats = createChats({ runs: openRuns() });
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    await chats.answer(question, () => new ReadableStream());
    const again = await chats.answer(question, () => saying("Twice."));
    await chats.stop("tea", OWNER);
    await expect(again.done).rejects.toMatchObject({ code: "run_finished" });
  });

  it("whose process died is not answered once more: readers may have a part", async () => {
    const runs = openRuns();
    const chats = createChats({ runs });
    const runId = await new StreamRuns({ ...OWNER, runs }, "ai-sdk").runIdOf('["tea","k"]');
    await runs.create({ ...OWNER, runId, topic: "tea" });
    const { fence, expiresAt } = await runs.claim(runId, { ...OWNER, leaseMs: 1_000 });
    await runs.append(runId, [{ eventType: "UI_MESSAGE", payload: asked("a") }], {
      ...OWNER,
      fence,
    });
    await expect.poll(() => Date.now() > Date.parse(expiresAt)).toBe(true);
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    const again = await chats.answer(question, () => saying("Twice."));
    expect(again.runId).toBe(runId);
    const errorText = "The answer was cut short.";
    expect(await readAll(again.stream)).toEqual([{ type: "error", errorText }]);
  });

  it("whose process died before its message was recorded is refused, not lost", async () => {
    const runs = openRuns();
    const chats = createChats({ runs, leaseMs: 1_000 });
    const runId = await new StreamRuns({ ...OWNER, runs }, "ai-sdk").runIdOf('["tea","k"]');
    await runs.create({ ...OWNER, runId, topic: "tea" });
    await runs.claim(runId, { ...OWNER, leaseMs: 1_000 });
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    await expect(chats.answer(question, () => saying("b"))).rejects.toMatchObject({
      code: "run_finished",
      message: expect.stringContaining("Ask with a new idempotency key"),
    });
    const { done } = await chats.answer({ ...question, idempotencyKey: "l" }, () => saying("b"));
    await done;
    expect((await chats.read("tea", OWNER)).messages).toHaveLength(2);
  });

  it("whose process died in the middle of its message is refused, not lost", async () => {
    const runs = openRuns();
    const chats = createChats({ runs, leaseMs: 1_000 });
    const runId = await new StreamRuns({ ...OWNER, runs }, "ai-sdk").runIdOf('["tea","k"]');
    await runs.create({ ...OWNER, runId, topic: "tea" });
    const { fence, expiresAt } = await runs.claim(runId, { ...OWNER, leaseMs: 1_000 });
    const payload = { eventType: "UI_MESSAGE", text: '{"id":"a",', index: 0, isLast: false };
    await runs.append(runId, [{ eventType: "UI_PART", payload }], { ...OWNER, fence });
    await expect.poll(() => Date.now() > Date.parse(expiresAt)).toBe(true);
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    await expect(chats.answer(question, () => saying("b"))).rejects.toMatchObject({
      code: "run_finished",
    });
  });

  it("that is sent again and again leaves no reader of its answer, and a reader that leaves none either", async () => {
    const runs = openRuns();
    let readers = 0;
    async function* tail(...call: Parameters<typeof runs.tail>): AsyncGenerator<RunEvent, void> {
      readers += 1;
      try {
        yield* runs.tail(...call);
      } finally {
        readers -= 1;
      }
    }
    const chats = createChats({ runs: { ...runs, tail } });
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    const ids = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      ids.add((await chats.answer(question, () => new ReadableStream())).runId);
    }
    expect([ids.size, readers]).toEqual([1, 0]);
    const { stream } = await chats.answer(question, () => new ReadableStream());
    const reading = stream.getReader();
    const read = reading.read();
    await expect.poll(() => readers).toBe(1);
    await reading.cancel();
    await read;
    await expect.poll(() => readers).toBe(0);
  });

  it("of another message is refused: that message would be lost", async () => {
    const server = createServer(openRuns());
    const question = { ...PLACE, message: asked("a"), idempotencyKey: "k" };
    await (
      await server.chats.answer(question, () => saying("b"))
    ).done;
    const headers = { "content-type": "application/json", "idempotency-key": "k" };
    const body = JSON.stringify({ id: "tea", message: asked("c") });
    const init = { method: "POST", body };
    const reused = await server.handle(
      new Request("http://localhost/api/chat", { ...init, headers }),
    );
    expect([reused.status, await reused.json()]).toMatchObject([
      422,
      { code: "idempotency_key_reused" },
    ]);
  });

  it("counts as one without a key if the header is empty", async () => {
    const server = createServer(openRuns());
    const headers = { "content-type": "application/json", "idempotency-key": "" };
    for (const [index, id] of ["a", "c"].entries()) {
      const body = JSON.stringify({ id: "tea", message: asked(id) });
      const init = { method: "POST", headers, body };
      const response = await server.handle(new Request("http://localhost/api/chat", init));
      await server.model.asked(index + 1);
      server.model.finish();
      await response.text();
    }
    expect(await server.read("tea")).toHaveLength(4);
  });
});

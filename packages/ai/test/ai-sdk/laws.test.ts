import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createChats } from "../../src/ai-sdk.ts";
import { followAnswer } from "../../src/ai-sdk/answers.ts";
import { joinDeltas } from "../../src/ai-sdk/join-deltas.ts";
import { StreamRuns } from "../../src/runs/stream-runs.ts";
import { chunks, fold, named, streamOf } from "./any-chunks.ts";

const OWNER = { ownerId: "ada" };

/** A question that is larger than a small payload. */
function asked(id: string): UIMessage {
  return { id, role: "user", parts: [{ type: "text", text: "\u{1F600}".repeat(100) }] };
}

it("any chunks, merged and split in any way, make the message that they make themselves", async () => {
  const bounds = fc.record({
    maxPayloadBytes: fc.constantFrom(160, 400, 262_144),
    maxBatchEvents: fc.constantFrom(3, 1_000),
  });
  const mergeMs = fc.constantFrom(0, 1, 5);
  await fc.assert(
    fc.asyncProperty(chunks, bounds, mergeMs, async (given, limits, wait) => {
      const runs = createRunEvents({ store: createMemoryStore(), ...limits });
      const chats = createChats({ runs, mergeMs: wait });
      const message = asked("m");
      const { done, stream } = await chats.answer({ chatId: "c", ...OWNER, message }, () =>
        streamOf(given),
      );
      const followed: UIMessageChunk[] = [];
      for await (const one of stream) followed.push(one);
      await done;
      const expected = await fold(named(given));
      const { messages } = await chats.read("c", OWNER);
      expect(messages[0]).toEqual(message);
      expect(messages[1]?.parts).toEqual(expected);
      expect(await fold(followed)).toEqual(expected);
      await runs.close();
    }),
    { numRuns: 150 },
  );
});

it("to join pieces in any groups, in any order of the joins, gives the same", () => {
  fc.assert(
    fc.property(chunks, fc.nat(), fc.nat(), (given, a, b) => {
      const [from = 0, to = 0] = [a, b]
        .map((at) => at % (given.length + 1))
        .toSorted((x, y) => x - y);
      const parts = [given.slice(0, from), given.slice(from, to), given.slice(to)];
      const [first = [], second = [], third = []] = parts.map(joinDeltas);
      const whole = joinDeltas(given);
      expect(joinDeltas([...joinDeltas([...first, ...second]), ...third])).toEqual(whole);
      expect(joinDeltas([...first, ...joinDeltas([...second, ...third])])).toEqual(whole);
    }),
  );
});

/** The content of chunks, apart from how texts are cut into pieces, and from the name of the message. */
function saidBy(values: readonly UIMessageChunk[]): readonly string[] {
  return values.flatMap((value) => {
    if (value.type === "tool-input-delta") return unitsOf(value.toolCallId, value.inputTextDelta);
    if ("delta" in value) return unitsOf(value.type + value.id, value.delta);
    const { messageId: _name, ...rest } = { messageId: undefined, ...value };
    return [JSON.stringify(rest)];
  });
}

function unitsOf(name: string, text: unknown): readonly string[] {
  return String(text)
    .split("")
    .map((unit) => name + unit);
}

it("an answer whose process dies anywhere, also within a large value, keeps what came before, and the next question is answered", async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.nat(), async (given, at) => {
      const limits = { maxPayloadBytes: 200, maxBatchEvents: 3 };
      const runs = createRunEvents({ store: createMemoryStore(), ...limits });
      const chats = createChats({ runs, mergeMs: 0 });
      const streams = new StreamRuns({ ...OWNER, runs }, "ai-sdk");
      const whole = await chats.answer({ chatId: "whole", ...OWNER, message: asked("a") }, () =>
        streamOf(given),
      );
      await whole.done;
      const { events } = await runs.read(whole.runId, { ...OWNER, limit: 1_000 });
      const kept = events.slice(0, at % events.length);
      const { runId } = await runs.create({ ...OWNER, topic: "cut" });
      const end = { eventType: "RUN_FAILED", payload: { reason: "lease_expired" } };
      for (const event of [...kept, end]) await runs.append(runId, [event], OWNER);

      const followed: UIMessageChunk[] = [];
      for await (const one of followAnswer(streams, runId)) followed.push(one);
      expect(followed.pop()).toMatchObject({ type: "error" });
      const said = saidBy(followed);
      expect(said).toEqual(saidBy(named(given)).slice(0, said.length));
      const { done } = await chats.answer({ chatId: "cut", ...OWNER, message: asked("b") }, () =>
        streamOf(given),
      );
      await done;
      const { messages } = await chats.read("cut", OWNER);
      expect(messages.at(-1)?.parts).toEqual(await fold(named(given)));
      if (messages.length > 2) expect(messages[1]?.parts).toEqual(await fold(followed));
      await runs.close();
    }),
    { numRuns: 150 },
  );
});

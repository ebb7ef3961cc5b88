import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createThreads } from "../src/ag-ui.ts";
import { createChats } from "../src/ai-sdk.ts";
import { createRunEventsResumableStreamStore } from "../src/assistant-ui.ts";
import { createResumableStreamContext } from "../src/resumable-stream.ts";
import { StreamRuns } from "../src/runs/stream-runs.ts";
import { runEventsStream } from "../src/tanstack-ai.ts";
import { asked, saying } from "./ai-sdk/small-chats.ts";

const OWNER = { ownerId: "ada" };

const TYPES = ["UI_MESSAGE", "UI_CHUNKS", "UI_PART", "CHUNK", "BYTES", "TEXT"] as const;
const OF_AG_UI = [
  "INPUT_REQUESTED",
  "RUN_STARTED",
  "RUN_FINISHED",
  "TEXT_MESSAGE_CONTENT",
] as const;

/** Members that the imports of this package look for, with values of any kind. */
const nearly = fc.record(
  Object.fromEntries(
    [
      "id",
      "messageId",
      "delta",
      "text",
      "interruptIds",
      "input",
      "messages",
      "outcome",
      "output",
    ].map((name) => [name, fc.jsonValue({ maxDepth: 2 })]),
  ),
  { requiredKeys: [] },
);
const named = fc.record({
  type: fc.constantFrom(
    "text-delta",
    "text-start",
    "start",
    "file",
    "tool-input-delta",
    "error",
    "x",
  ),
  role: fc.constantFrom("user", "assistant", "system"),
  eventType: fc.constantFrom<unknown>("UI_MESSAGE", "UI_CHUNKS", "RUN_STARTED", 1),
  index: fc.constantFrom<unknown>(0, 1, "0"),
  isLast: fc.constantFrom<unknown>(true, false, null),
});
const almost = fc.tuple(nearly, named).map(([some, more]) => ({ ...some, ...more }));
const payload = fc.oneof(
  fc.constant(null),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }),
  almost,
  fc.array(fc.oneof(almost, fc.constant(null)), { maxLength: 3 }),
  fc.tuple(almost, fc.array(almost, { maxLength: 2 })).map(([some, parts]) => ({ ...some, parts })),
);
const foreign = fc.array(
  fc.record({ eventType: fc.constantFrom(...TYPES, ...OF_AG_UI), payload }),
  { minLength: 1, maxLength: 4 },
);

/** Reads a stream to its end. */
async function drain(stream: ReadableStream<unknown> | null): Promise<void> {
  const reader = stream?.getReader();
  while ((await reader?.read())?.done === false);
}

/** Writes a run that no import of this package has made, over the plain API. */
async function write(
  runs: RunEvents,
  run: { readonly runId?: string; readonly topic?: string },
  events: readonly { readonly eventType: string; readonly payload: unknown }[],
): Promise<void> {
  const { runId } = await runs.create({ ...OWNER, ...run });
  await runs.append(runId, [...events, { eventType: "RUN_COMPLETED" }], OWNER);
}

it("a chat with events that another program has written can be read, and goes on", async () => {
  await fc.assert(
    fc.asyncProperty(foreign, async (events) => {
      const runs = createRunEvents({ store: createMemoryStore() });
      const chats = createChats({ runs });
      await write(runs, { topic: "tea" }, events);
      await chats.read("tea", OWNER);
      const { done, stream } = await chats.answer(
        { ...OWNER, chatId: "tea", message: asked("question") },
        () => saying("b"),
      );
      await drain(stream);
      await done;
      const { messages } = await chats.read("tea", OWNER);
      expect(messages.at(-2)?.id).toBe(asked("question").id);
      await runs.close();
    }),
  );
});

it("a thread with events that another program has written can be read, and goes on", async () => {
  await fc.assert(
    fc.asyncProperty(foreign, async (events) => {
      const runs = createRunEvents({ store: createMemoryStore() });
      const threads = createThreads({ runs });
      await write(runs, { topic: "tea" }, events);
      await drain(await threads.follow({ ...OWNER, threadId: "tea" }));
      const input = { threadId: "tea", runId: "r", messages: [], tools: [], context: [] };
      const { done } = await threads.record({ ...OWNER, input }, async function* agent() {
        yield { type: "RUN_FINISHED" };
      });
      await done;
      await drain(await threads.follow({ ...OWNER, threadId: "tea" }));
      await runs.close();
    }),
  );
});

it("a question of another program in a thread can be answered, no matter what it is", async () => {
  await fc.assert(
    fc.asyncProperty(payload, async (question) => {
      const runs = createRunEvents({ store: createMemoryStore() });
      const threads = createThreads({ runs });
      const { runId } = await runs.create({ ...OWNER, topic: "tea" });
      await runs.append(runId, [{ eventType: "INPUT_REQUESTED", payload: question }], OWNER);
      const { interruptIds: ids } = Object(question) as { readonly interruptIds?: unknown };
      const open = [ids].flat().filter((id) => typeof id === "string");
      const resume = ["i", ...open].map((id) => ({ interruptId: id, status: "resolved" as const }));
      const input = { threadId: "tea", runId: "r", messages: [], tools: [], context: [], resume };
      const { done } = await threads.record({ ...OWNER, input }, async function* agent() {
        yield { type: "RUN_FINISHED" };
      });
      await done;
      expect(await runs.get(runId, OWNER)).toMatchObject({ runStatus: "completed" });
      await runs.close();
    }),
  );
});

it("the streams of the other imports can be read, no matter what another program has written", async () => {
  await fc.assert(
    fc.asyncProperty(foreign, async (events) => {
      const runs = createRunEvents({ store: createMemoryStore() });
      for (const prefix of ["resumable-stream", "assistant-ui", "tanstack-ai"]) {
        const runId = await new StreamRuns({ ...OWNER, runs }, prefix).runIdOf("s");
        await write(runs, { runId }, events);
      }
      const { signal } = new AbortController();
      const resumable = createResumableStreamContext({ runs, ...OWNER, waitUntil: null });
      await drain((await resumable.resumeExistingStream("s")) ?? null);
      const store = createRunEventsResumableStreamStore({ runs, ...OWNER });
      for await (const one of store.read("s", "", signal)) expect(one.chunk).toBeDefined();
      const stream = runEventsStream({ runId: "s", offset: "-1" }, { runs, ...OWNER });
      for await (const { chunk } of stream.read("-1", signal)) expect(chunk).toBeTypeOf("object");
      await runs.close();
    }),
  );
});

import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import type { UIMessageChunk } from "ai";
import { expect, it } from "vitest";
import { createThreads } from "../src/ag-ui.ts";
import { createChats } from "../src/ai-sdk.ts";
import { createRunEventsResumableStreamStore } from "../src/assistant-ui.ts";
import { runEventsStream } from "../src/tanstack-ai.ts";
import { asked, PLACE, streamOf } from "./ai-sdk/small-chats.ts";
import { acquireLease, bytesOf, readStore } from "./assistant-ui/read-store.ts";
import { createFailingStore } from "./failing-store.ts";
import { readRun, textChunk } from "./tanstack-ai/chunks.ts";

const OWNER = { ownerId: "ada" };
const INPUT = { threadId: "tea", runId: "r", messages: [], tools: [], context: [] };

/** A stream that has no end. */
const begin = <Value>(...values: readonly Value[]): ReadableStream<Value> =>
  new ReadableStream({
    start(controller) {
      for (const value of values) controller.enqueue(value);
    },
  });

async function collect(values: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** An import whose producer writes "half an ", and all that a reader gets. */
type Door = (runs: RunEvents) => {
  readonly produce: () => Promise<unknown>;
  readonly read: () => Promise<unknown>;
};

const leaseMs = 1_000;
const assistantUi: Door = (runs) => {
  const store = createRunEventsResumableStreamStore({ runs, leaseMs });
  return {
    produce: async () => store.append("a", bytesOf("half an "), await acquireLease(store, "a")),
    read: () => readStore(store, "a"),
  };
};
const tanstackAi: Door = (runs) => {
  const stream = runEventsStream({ runId: "a" }, { runs, leaseMs });
  return { produce: () => stream.append([textChunk("half an ")]), read: () => readRun(stream) };
};
const chats: Door = (runs) => {
  const { answer, follow } = createChats({ runs, leaseMs, mergeMs: 0 });
  const said: UIMessageChunk[] = [
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta: "half an " },
  ];
  return {
    async produce() {
      const { stream } = await answer({ ...PLACE, message: asked("a") }, () => begin(...said));
      for await (const { type } of stream) if (type === "text-delta") return;
    },
    read: async () => collect((await follow("tea", OWNER)) ?? streamOf()),
  };
};
const threads: Door = (runs) => {
  const { record, follow } = createThreads({ runs, leaseMs, mergeMs: 0 });
  const said = { type: "TEXT_MESSAGE_CHUNK", messageId: "m", delta: "half an " };
  return {
    async produce() {
      const { events } = await record({ ...OWNER, input: INPUT }, () => begin(said));
      for await (const { event } of events) if ("delta" in event) return;
    },
    read: async () => collect(await follow({ ...OWNER, threadId: "tea" })),
  };
};

it.each([
  ["assistant-ui", assistantUi],
  ["tanstack-ai", tanstackAi],
  ["ai-sdk", chats],
  ["ag-ui", threads],
])("a producer that is dead ends its readers with an error: %s", async (_name, open) => {
  const store = createMemoryStore();
  const failing = createFailingStore(store);
  const here = createRunEvents({ store: failing.store });
  const there = createRunEvents({ store });
  const { read } = open(there);
  await open(here).produce();
  failing.cutOff();
  const got = JSON.stringify(await read(), (_key, value: unknown) =>
    value instanceof Error ? value.message : value,
  );
  expect(got).toMatch(/half an .*(lease_expired|cut short)/);
  await store.close();
});

it("a producer that is dead is found by the next one of assistant-ui, also without a reader", async () => {
  const store = createMemoryStore();
  const failing = createFailingStore(store);
  await assistantUi(createRunEvents({ store: failing.store })).produce();
  failing.cutOff();
  const runs = createRunEvents({ store });
  const next = createRunEventsResumableStreamStore({ runs, leaseMs });
  await expect
    .poll(async () => [await next.acquire("a"), await next.status("a")])
    .toEqual(["consumer", "error"]);
  await store.close();
});

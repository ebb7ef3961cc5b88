import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import type { UIMessageChunk } from "ai";
import { describe, expect, it } from "vitest";
import { createThreads } from "../src/ag-ui.ts";
import { createChats } from "../src/ai-sdk.ts";
import { createRunEventsResumableStreamStore } from "../src/assistant-ui.ts";
import { createResumableStreamContext } from "../src/resumable-stream.ts";
import { runEventsStream } from "../src/tanstack-ai.ts";
import { asked, PLACE, streamOf } from "./ai-sdk/small-chats.ts";
import { acquireLease, bytesOf, readStore } from "./assistant-ui/read-store.ts";
import { createFailingStore } from "./failing-store.ts";
import { readRun, textChunk } from "./tanstack-ai/chunks.ts";
import { readPart, readUntil } from "./text-source.ts";

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

/** An import whose producer writes "half an " into the stream or the chat of an owner, and all that a reader of it gets. */
type Door = (
  runs: RunEvents,
  ownerId?: string,
) => {
  readonly produce: () => Promise<unknown>;
  /** Resolves at the end; with nothing, or an error, if the stream or chat does not exist. */
  readonly read: () => Promise<unknown>;
};

const leaseMs = 1_000;
const DOORS: Readonly<Record<string, Door>> = {
  "resumable-stream": (runs, ownerId = "ada") => {
    const streams = createResumableStreamContext({ runs, ownerId, leaseMs, mergeMs: 0 });
    return {
      async produce() {
        await streams.createNewResumableStream("a", () => begin("half an "));
        await readUntil(await streams.resumeExistingStream("a"), "half an ");
      },
      async read() {
        const stream = await streams.resumeExistingStream("a");
        return stream === undefined ? "none" : readPart(stream);
      },
    };
  },
  "assistant-ui": (runs, ownerId = "ada") => {
    const store = createRunEventsResumableStreamStore({ runs, ownerId, leaseMs });
    return {
      produce: async () => store.append("a", bytesOf("half an "), await acquireLease(store, "a")),
      read: () => readStore(store, "a"),
    };
  },
  "tanstack-ai": (runs, ownerId = "ada") => {
    const stream = runEventsStream({ runId: "a" }, { runs, ownerId, leaseMs });
    return { produce: () => stream.append([textChunk("half an ")]), read: () => readRun(stream) };
  },
  "ai-sdk": (runs, ownerId = "ada") => {
    const { answer, follow } = createChats({ runs, leaseMs, mergeMs: 0 });
    const place = { chatId: PLACE.chatId, ownerId };
    const said: UIMessageChunk[] = [
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "half an " },
    ];
    return {
      async produce() {
        const { stream } = await answer({ ...place, message: asked("a") }, () => begin(...said));
        for await (const { type } of stream) if (type === "text-delta") return;
      },
      read: async () => collect((await follow(PLACE.chatId, { ownerId })) ?? streamOf()),
    };
  },
  "ag-ui": (runs, ownerId = "ada") => {
    const { record, follow } = createThreads({ runs, leaseMs, mergeMs: 0 });
    const said = { type: "TEXT_MESSAGE_CHUNK", messageId: "m", delta: "half an " };
    return {
      async produce() {
        const { events } = await record({ ownerId, input: INPUT }, () => begin(said));
        for await (const { event } of events) if ("delta" in event) return;
      },
      read: async () => collect(await follow({ ownerId, threadId: "tea" })),
    };
  },
};

/** A reader's result, as text. */
function shown(got: unknown): string {
  return JSON.stringify(got, (_key, value: unknown) =>
    value instanceof Error ? value.message : value,
  );
}

/** Two processes with one store. The first may be closed before the second. */
function openBoth(): { readonly here: RunEvents; readonly there: RunEvents } {
  const store = createMemoryStore();
  const here = createRunEvents({ store: { ...store, close: async () => {} } });
  return { here, there: createRunEvents({ store }) };
}

const CUT_SHORT = /half an .*(lease_expired|cut short)/;

describe.each(Object.entries(DOORS))("%s", (_name, open) => {
  it("a producer that is dead ends its readers with an error", async () => {
    const store = createMemoryStore();
    const failing = createFailingStore(store);
    const { read } = open(createRunEvents({ store }));
    await open(createRunEvents({ store: failing.store })).produce();
    failing.cutOff();
    expect(shown(await read())).toMatch(CUT_SHORT);
    await store.close();
  });

  it("a shutdown of the producer ends its readers elsewhere with an error", async () => {
    const { here, there } = openBoth();
    await open(here).produce();
    const reading = open(there).read();
    await here.close();
    expect(shown(await reading)).toMatch(CUT_SHORT);
    await there.close();
  });

  it("two owners use the same id, and neither learns of what the other has", async () => {
    const { here, there } = openBoth();
    await open(here, "ada").produce();
    expect(shown(await open(there, "bob").read())).not.toContain("half an");
    await open(here, "bob").produce();
    const reading = ["ada", "bob"].map((ownerId) => open(there, ownerId).read());
    await here.close();
    for (const got of await Promise.all(reading)) expect(shown(got)).toMatch(CUT_SHORT);
    await there.close();
  });
});

it("a producer that is dead is found by the next one of assistant-ui, also without a reader", async () => {
  const store = createMemoryStore();
  const failing = createFailingStore(store);
  await DOORS["assistant-ui"]?.(createRunEvents({ store: failing.store })).produce();
  failing.cutOff();
  const runs = createRunEvents({ store });
  const next = createRunEventsResumableStreamStore({ runs, ownerId: "ada", leaseMs });
  await expect
    .poll(async () => [await next.acquire("a"), await next.status("a")])
    .toEqual(["consumer", "error"]);
  await store.close();
});

import type { RunEvents } from "@tm/run-events-core";
import {
  resumeServerSentEventsResponse,
  type StreamChunk,
  toServerSentEventsResponse,
} from "@tanstack/ai";
import { fetchServerSentEvents } from "@tanstack/ai-client";
import { expect, it } from "vitest";
import type {
  RunEventsStream,
  RunEventsStreamInit,
  RunEventsStreamOptions,
} from "../../src/tanstack-ai.ts";
import { finishChunk, readRun, shown, startChunk, textChunk } from "./chunks.ts";

type Make = (
  source: Request | RunEventsStreamInit,
  options?: Partial<RunEventsStreamOptions>,
) => RunEventsStream;

/** Makes streams of the same runs in two processes, with the runs of the first. */
export type Open = (
  options?: Partial<RunEventsStreamOptions>,
) => Promise<readonly [here: Make, there: Make, runs: RunEvents]>;

/** An answer, which waits after its first chunks until the test lets it go on. */
function createAnswer(
  runId: string,
  error?: Error,
): {
  readonly chunks: AsyncIterable<StreamChunk>;
  readonly letOn: () => void;
  readonly calls: () => number;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  async function* answer(): AsyncGenerator<StreamChunk> {
    calls += 1;
    yield startChunk(runId);
    yield textChunk("Tea is ");
    await promise;
    if (error !== undefined) throw error;
    yield textChunk("a leaf.");
    yield finishChunk(runId);
  }
  return { chunks: answer(), letOn: resolve, calls: () => calls };
}

/** The routes of a chat, as TanStack AI's docs have them. */
function createRoutes(make: Make, chunks: AsyncIterable<StreamChunk>): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (request.method === "GET") return resumeServerSentEventsResponse({ adapter: make(request) });
    return toServerSentEventsResponse(chunks, {
      durability: { adapter: make(request), batch: 1 },
      debug: false,
    });
  };
}

async function collect(chunks: AsyncIterable<StreamChunk>): Promise<readonly StreamChunk[]> {
  const found: StreamChunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

const WHOLE = ["CUSTOM", "RUN_STARTED", "Tea is ", "a leaf.", "RUN_FINISHED"];

const connectTo = (fetchClient: typeof fetch): ReturnType<typeof fetchServerSentEvents> =>
  fetchServerSentEvents("http://localhost/chat", { fetchClient, reconnect: { delayMs: 1 } });

/** The use of a durable stream by TanStack AI itself: its responses and its client. */
export function testResponses(open: Open): void {
  it("the library's client gets an answer, and others join it in another process", async () => {
    const [here, there] = await open();
    const { chunks, letOn } = createAnswer("a");
    const context = { runId: "a", threadId: "t" };
    const made = connectTo(createRoutes(here, chunks)).connect([], {}, undefined, context);
    const producing = collect(made);
    const never = createAnswer("a");
    const joined = collect(connectTo(createRoutes(there, never.chunks)).joinRun("a"));
    letOn();
    expect(shown(await producing)).toEqual(WHOLE);
    expect(shown(await joined)).toEqual(WHOLE);
    const late = collect(connectTo(createRoutes(there, never.chunks)).joinRun("a"));
    expect(shown(await late)).toEqual(WHOLE);
    expect(never.calls()).toBe(0);
  });

  it("a connection that breaks is resumed: each chunk comes once, and the model is asked once", async () => {
    const [here, there] = await open();
    const { chunks, letOn, calls } = createAnswer("a");
    let requests = 0;
    const fetchClient: typeof fetch = async (input, init) => {
      requests += 1;
      const response = await createRoutes(requests === 1 ? here : there, chunks)(input, init);
      if (requests > 1) return response;
      return new Response(breakAfter("Tea is ", response, letOn), response);
    };
    const context = { runId: "a", threadId: "t" };
    const got = await collect(connectTo(fetchClient).connect([], {}, undefined, context));
    expect(shown(got)).toEqual(WHOLE);
    expect([requests, calls()]).toEqual([2, 1]);
  });

  it("a model that fails is an error for the producer and for others", async () => {
    const [here, there] = await open();
    const { chunks, letOn } = createAnswer("a", new Error("429"));
    const context = { runId: "a", threadId: "t" };
    const made = connectTo(createRoutes(here, chunks)).connect([], {}, undefined, context);
    letOn();
    const part = ["CUSTOM", "RUN_STARTED", "Tea is ", "RUN_ERROR"];
    expect(shown(await collect(made))).toEqual(part);
    expect(shown(await collect(connectTo(createRoutes(there, chunks)).joinRun("a")))).toEqual(part);
  });

  it("a second request for the same run makes no second answer", async () => {
    const [here, there] = await open();
    const { chunks, letOn } = createAnswer("a");
    const context = { runId: "a", threadId: "t" };
    const made = connectTo(createRoutes(here, chunks)).connect([], {}, undefined, context);
    const first = made[Symbol.asyncIterator]();
    await first.next();
    const second = createAnswer("a");
    const refused = connectTo(createRoutes(there, second.chunks)).connect(
      [],
      {},
      undefined,
      context,
    );
    expect(shown(await collect(refused))).toEqual(["RUN_ERROR"]);
    expect(second.calls()).toBe(0);
    letOn();
    while ((await first.next()).done !== true);
    expect((await readRun(there({ runId: "a" }))).texts).toEqual(WHOLE);
  });

  it("a cancelled run ends the stream of its producer, and that of others, with an error", async () => {
    const [here, there] = await open();
    const { chunks, letOn } = createAnswer("a");
    const context = { runId: "a", threadId: "t" };
    const made = connectTo(createRoutes(here, chunks)).connect([], {}, undefined, context);
    const producing = collect(made);
    const joined = collect(connectTo(createRoutes(there, chunks)).joinRun("a"));
    const entries = there({ runId: "a" }).read("-1")[Symbol.asyncIterator]();
    while (shown([(await entries.next()).value?.chunk as StreamChunk])[0] !== "Tea is ");
    expect(await there({ runId: "a" }).cancel()).toBe(true);
    letOn();
    expect(shown(await producing)).toEqual(["CUSTOM", "RUN_STARTED", "Tea is ", "RUN_ERROR"]);
    expect(shown(await joined)).toEqual(["CUSTOM", "RUN_STARTED", "Tea is ", "RUN_ERROR"]);
  });
}

/** The body of a response, which breaks once the text has come. */
function breakAfter(
  text: string,
  response: Response,
  onBreak: () => void,
): ReadableStream<Uint8Array> {
  const reader = response.body?.getReader();
  let got = "";
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (got.includes(text)) {
          onBreak();
          return controller.error(new TypeError("connection lost"));
        }
        const { value = new Uint8Array() } = (await reader?.read()) ?? {};
        got += new TextDecoder().decode(value);
        controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { openHealed } from "../src/streams/open-healed.ts";
import { pulled } from "../src/streams/pulled.ts";
import { type Placed, respondPlaced } from "../src/streams/respond-placed.ts";

afterEach(() => void vi.useRealTimers());

/** A server of a stream: it begins after any place. */
function serve(all: readonly Placed<unknown>[], since: string | null): Response {
  const from = since === null ? 0 : all.findIndex(({ place }) => place === since) + 1;
  async function* rest(): AsyncGenerator<Placed<unknown>, void> {
    yield* all.slice(from);
  }
  return respondPlaced(pulled(rest));
}

/** The same response, whose connection breaks or closes after some bytes. */
async function cutShort(whole: Response, at: number, breaks: boolean): Promise<Response> {
  const bytes = new Uint8Array(await whole.arrayBuffer());
  const parts = [bytes.slice(0, at / 2), bytes.slice(at / 2, at)];
  const body = new ReadableStream({
    pull(controller) {
      const part = parts.shift();
      if (part !== undefined) controller.enqueue(part);
      else if (breaks && at < bytes.length) controller.error(new TypeError("terminated"));
      else controller.close();
    },
  });
  return new Response(body, whole);
}

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\n\n", "event: end", "\u{1F600}"),
);

it("a stream that is cut at any places, any number of times, arrives whole and once", async () => {
  const cuts = fc.array(fc.record({ at: fc.nat(300), breaks: fc.boolean() }), { maxLength: 4 });
  const events = fc.array(fc.tuple(text, fc.boolean()), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(events, cuts, async (values, cut) => {
      // The last event has a place, as it has in a run.
      const all = values.map(([event, isPlaced], index) => ({
        event,
        place: isPlaced || index === values.length - 1 ? `run:${index + 1}` : null,
      }));
      const left = [...cut];
      const seen: unknown[] = [];
      const response = await openHealed({
        ask: async (since) => {
          const next = left.shift();
          if (next === undefined) return serve(all, since);
          return cutShort(serve(all, since), next.at, next.breaks);
        },
        onEvent: (_data, place) => void seen.push(place),
        onEnd: () => void seen.push("end"),
        signal: new AbortController().signal,
      });
      const frames = (await response.text()).split("\n\n").slice(0, -1);
      const read = frames.map(
        (frame) => JSON.parse(frame.replace(/^(id: .*\n)?data: /, "")) as unknown,
      );
      expect(read).toEqual(all.map(({ event }) => JSON.parse(JSON.stringify(event)) as unknown));
      const places = all.map(({ place }) => place).filter((place) => place !== null);
      expect(seen).toEqual([...places, "end"]);
    }),
    { numRuns: 60 },
  );
});

/** A stream that is not made of events. */
function respondWith(body: BodyInit): Response {
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

it("a proxy's page is an error, of a first request and after a lost connection", async () => {
  const proxied = (): Response =>
    new Response("<p>Sign in", { headers: { "content-type": "text/html" } });
  const ask = (...answers: Response[]) => ({
    ask: async () => answers.shift() ?? new Response("", { status: 404 }),
    onEvent: () => {},
    onEnd: () => {},
    signal: new AbortController().signal,
  });
  const message = "Expected text/event-stream, got HTTP 200: <p>Sign in";
  await expect(openHealed(ask(proxied()))).rejects.toThrow(message);
  const cut = await openHealed(ask(respondWith("id: a:1\ndata: 1\n\n"), proxied()));
  await expect(cut.text()).rejects.toThrow(message);
});

it("a request is made again while no server answers, but a refusal is the answer", async () => {
  const answers = [
    new TypeError("fetch failed"),
    new Response("", { status: 503 }),
    new Response("No.", { status: 404 }),
  ];
  const response = await openHealed({
    ask: async () => {
      const answer = answers.shift();
      if (answer instanceof Response) return answer;
      throw answer ?? new Error("Expected no further request.");
    },
    onEvent: () => {},
    onEnd: () => {},
    signal: new AbortController().signal,
  });
  expect([response.status, await response.text()]).toEqual([404, "No."]);
});

it("a silent connection is closed, and a reader that leaves ends its requests", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const signals: AbortSignal[] = [];
  const silent = (): Response => respondWith(new ReadableStream({}));
  const response = await openHealed({
    ask: async (_since, signal) => {
      signals.push(signal);
      return silent();
    },
    onEvent: () => {},
    onEnd: () => {},
    signal: new AbortController().signal,
  });
  const reader = response.body?.getReader();
  const read = reader?.read();
  await vi.advanceTimersByTimeAsync(41_000);
  expect(signals).toHaveLength(2);
  await reader?.cancel();
  await read;
  await vi.advanceTimersByTimeAsync(100_000);
  expect(signals).toHaveLength(2);
  expect(signals[1]?.aborted).toBe(true);
});

it("a stream that is silent sends comments", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const response = respondPlaced(new ReadableStream({}));
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = reader?.read();
  await vi.advanceTimersByTimeAsync(15_000);
  expect((await first)?.value).toBe(": keep-alive\n\n");
  await reader?.cancel();
});

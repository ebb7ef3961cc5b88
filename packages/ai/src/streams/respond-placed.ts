import { pulled } from "./pulled.ts";

/** The interval of comments while a stream is silent, so that proxies keep the connection. */
const KEEP_ALIVE_MS = 15_000;

/** A value of a stream, and the place after it. */
export interface Placed<Value> {
  readonly event: Value;
  /** A reader that has this event goes on from here; `null` if the next event belongs to the same place. */
  readonly place: string | null;
}

/** The response of server-sent events for `openHealed`. Each event that a reader can go on after has its place as its id. */
export function respondPlaced(events: ReadableStream<Placed<unknown>>): Response {
  const body = pulled((signal) => framesOf(events.getReader(), signal));
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  };
  return new Response(body.pipeThrough(new TextEncoderStream()), { headers });
}

async function* framesOf(
  reader: ReadableStreamDefaultReader<Placed<unknown>>,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  signal.addEventListener("abort", () => void reader.cancel(signal.reason).catch(() => {}));
  for (;;) {
    const read = reader.read();
    while (await isSlow(read)) yield ": keep-alive\n\n";
    const { done, value } = await read;
    if (done) break;
    const { event, place } = value;
    yield `${place === null ? "" : `id: ${place}\n`}data: ${JSON.stringify(event)}\n\n`;
  }
  // Lets a reader tell the end from a lost connection.
  yield "event: end\n\n";
}

/** Whether the promise takes longer than the connection may be silent. */
async function isSlow(promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(true), KEEP_ALIVE_MS);
  const settled = promise.then(
    () => false,
    () => false,
  );
  return Promise.race([late.promise, settled]).finally(() => clearTimeout(timer));
}

import { Pauses } from "../runs/pauses.ts";
import { pulled } from "./pulled.ts";

/** The number of times that the first request is made until a server answers. */
const MOST_TRIES = 8;
/** A connection without a byte for so long is dead: the server sends a comment every 15 seconds. */
const STALL_MS = 40_000;
/** The statuses of a server that is unavailable for a moment. */
const AWAY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Settings of {@link openHealed}. */
export interface HealedStreamOptions {
  /** Asks for the events after a place; for all with `null`. */
  readonly ask: (since: string | null, signal: AbortSignal) => Promise<Response>;
  /** Called with each event and the place after it, before the reader gets it. */
  readonly onEvent: (data: string, place: string) => void;
  /** Called when the server says that the reader has all. */
  readonly onEnd: () => void;
  /** Ends the requests. */
  readonly signal: AbortSignal;
}

/** Opens a stream that reconnects after a lost connection, and goes on after its last whole event. */
export async function openHealed(options: HealedStreamOptions): Promise<Response> {
  const first = await insist(() => options.ask(null, options.signal), MOST_TRIES, options.signal);
  if (!first.ok) return first;
  await checkPlaced(first);
  const body = pulled((left) => {
    const signal = AbortSignal.any([left, options.signal]);
    return readHealed(first, { ...options, signal });
  });
  const { status, headers } = first;
  return new Response(body.pipeThrough(new TextEncoderStream()), { status, headers });
}

async function* readHealed(
  first: Response,
  { ask, onEvent, onEnd, signal }: HealedStreamOptions,
): AsyncGenerator<string, void> {
  const pauses = new Pauses();
  let since: string | null = null;
  for (let response = first; ;) {
    let held = "";
    for await (const frame of framesOf(response, signal)) {
      if (frame === "event: end") return onEnd();
      held += `${frame}\n\n`;
      const [, place, data = ""] = /^id: (.*)\ndata: (.*)$/.exec(frame) ?? [];
      // An event without a place comes again after a lost connection, so it is held back.
      if (place === undefined) continue;
      pauses.reset();
      since = place;
      onEvent(data, place);
      yield held;
      held = "";
    }
    signal.throwIfAborted();
    await pauses.next(signal);
    response = await insist(() => ask(since, signal), Infinity, signal);
    await checkPlaced(response);
  }
}

/** @throws Error if the response is no stream of a server of this package, such as the page of a proxy */
async function checkPlaced(response: Response): Promise<void> {
  const { ok, status, headers } = response;
  if (ok && headers.get("content-type")?.startsWith("text/event-stream") === true) return;
  const text = (await response.text()).slice(0, 200);
  throw new Error(
    `Expected text/event-stream, got HTTP ${status}: ${text}. Check the address, and the proxy.`,
  );
}

/** Asks until a server answers. */
async function insist(
  ask: () => Promise<Response>,
  mostTries: number,
  signal: AbortSignal,
): Promise<Response> {
  const pauses = new Pauses();
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await ask();
      if (!AWAY.has(response.status) || tries >= mostTries) return response;
      await response.body?.cancel();
    } catch (error) {
      // A request that is aborted fails with another error.
      if (!(error instanceof TypeError) || tries >= mostTries) throw error;
    }
    signal.throwIfAborted();
    await pauses.next(signal);
  }
}

/** The frames of a response up to its end or a cut. A part of one at the end is left out. */
async function* framesOf(response: Response, signal: AbortSignal): AsyncGenerator<string, void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const stop = (): void => void reader?.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  let text = "";
  try {
    while (!signal.aborted) {
      const timer = setTimeout(stop, STALL_MS);
      const read = await reader?.read().catch(() => undefined);
      clearTimeout(timer);
      if (read === undefined || read.done) return;
      const frames = (text + read.value).split("\n\n");
      text = frames.pop() ?? "";
      yield* frames;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

import { within } from "../within.ts";
import { type Call, type Fetch, nameOf, requestOf } from "./call.ts";
import { checkFrame, NO_FRAMES } from "./check-frame.ts";
import { checkRunsFrame, noFramesOf } from "./check-runs-frame.ts";
import { type Frame, readFrames } from "./read-frames.ts";

/** A live stream as a case reads it: frame by frame, each held against clauses W22, W23, W47 and W48 in `WIRE.md` as it comes. */
export interface LiveStream {
  readonly status: number;
  readonly headers: Headers;
  /**
   * The next frame.
   * @param dueMs how long the server may take for it
   * @throws Error if none comes, or one that breaks a clause
   */
  next(dueMs?: number): Promise<Frame>;
  /** The frames up to the first of this type, with it. */
  until(type: string): Promise<readonly Frame[]>;
  /**
   * The frames up to the end of the answer.
   * @param dueMs how long the server may take for each
   */
  rest(dueMs?: number): Promise<readonly Frame[]>;
  /**
   * The body as it is, unless a frame was taken.
   * @throws Error if it ends broken
   */
  text(): Promise<string>;
  /** Disconnects. Idempotent. */
  leave(): void;
}

/**
 * Bounds a hang, not the speed of a server. With the kit's patience it is less than the 15 s of a heartbeat, which would else
 * take the place of the frame that is owed.
 */
const FRAME_MS = 3_000;

/** Opens a stream, or another answer that is read later, and reads its head. */
export async function openStream(fetch: Fetch, baseUrl: string, call: Call): Promise<LiveStream> {
  const left = new AbortController();
  const what = nameOf(call);
  const asking = fetch(requestOf(baseUrl, call, left.signal));
  const response = await within(FRAME_MS, asking, `the head of ${what}`).catch((error: unknown) => {
    left.abort();
    throw error;
  });
  // Taken at once: some runtimes cancel an unread body once its response is garbage.
  const reader = response.body?.getReader();
  const chunks = chunksOf(reader);
  const frames = readFrames(chunks);
  const check = checkerOf(call);

  async function take(dueMs = FRAME_MS): Promise<Frame | null> {
    const result = await within(dueMs, frames.next(), `the next frame of ${what}`);
    if (result.done === true) return null;
    check(result.value);
    return result.value;
  }

  async function next(dueMs?: number): Promise<Frame> {
    const frame = await take(dueMs);
    if (frame === null) throw new Error(`Expected a frame of ${what}, got the end of the answer.`);
    return frame;
  }

  return {
    status: response.status,
    headers: response.headers,
    next,
    async until(type) {
      const taken: Frame[] = [];
      do taken.push(await next());
      while (taken.at(-1)?.message["type"] !== type);
      return taken;
    },
    async rest(dueMs) {
      const taken: Frame[] = [];
      for (let frame = await take(dueMs); frame !== null; frame = await take(dueMs)) {
        taken.push(frame);
      }
      return taken;
    },
    async text() {
      const parts: Uint8Array[] = [];
      const reading = async (): Promise<void> => {
        for await (const part of chunks) parts.push(part);
      };
      await within(FRAME_MS, reading(), `the end of ${what}`);
      return new Blob(parts as BlobPart[]).text();
    },
    leave() {
      left.abort();
      // A reader that has left does not care how the rest fails.
      reader?.cancel().catch(() => {});
    },
  };
}

/** Checks each frame of this call's answer against its clauses. */
function checkerOf({ path }: Call): (frame: Frame) => void {
  const query = new URLSearchParams(path.split("?")[1]);
  // Only a stream of many runs has one of the two.
  if (!query.has("runs") && !query.has("feed")) {
    let soFar = NO_FRAMES;
    return (frame) => void (soFar = checkFrame(soFar, frame));
  }
  let soFar = noFramesOf(query);
  return (frame) => void (soFar = checkRunsFrame(soFar, frame));
}

async function* chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array, undefined, undefined> {
  if (reader === undefined) return undefined;
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  return undefined;
}

/** The types of these frames. */
export function typesOf(frames: readonly Frame[]): readonly unknown[] {
  return frames.map(({ message }) => message["type"]);
}

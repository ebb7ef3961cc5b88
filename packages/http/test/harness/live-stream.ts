import { collect } from "./collect.ts";
import { type Frame, readFrames } from "./frames.ts";

/** A live stream as a test reads it. Its frames are taken one by one; nothing is read ahead. */
export interface LiveStream {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The next frame. Rejects at the end of the stream, and for a frame that W22 forbids. */
  next(): Promise<Frame>;
  /** The frames up to the first of this type, that one included. */
  until(type: string): Promise<readonly Frame[]>;
  /** The frames up to the end of the answer. */
  rest(): Promise<readonly Frame[]>;
  /** Goes away without a word. Idempotent. */
  leave(): void;
}

/** Reads an answer's body as a live stream. */
export function createLiveStream(
  answer: Pick<LiveStream, "status" | "headers">,
  chunks: AsyncIterable<Uint8Array>,
  leave: () => void,
): LiveStream {
  const frames = readFrames(chunks);

  async function next(): Promise<Frame> {
    const result = await frames.next();
    if (result.done === true) throw new Error("Expected a frame, got the end of the stream.");
    return result.value;
  }

  return {
    ...answer,
    next,
    async until(type) {
      const taken: Frame[] = [];
      do taken.push(await next());
      while (taken.at(-1)?.data["type"] !== type);
      return taken;
    },
    async rest() {
      return collect(frames);
    },
    leave,
  };
}

/** The sequences of the `run_event` frames among these. */
export function sequencesOf(frames: readonly Frame[]): readonly number[] {
  return frames.flatMap(({ data }) =>
    data["type"] === "run_event" ? [(data["event"] as { readonly sequence: number }).sequence] : [],
  );
}

/** The types of these frames. */
export function typesOf(frames: readonly Frame[]): readonly unknown[] {
  return frames.map(({ data }) => data["type"]);
}

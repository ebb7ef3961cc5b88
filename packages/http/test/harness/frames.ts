/** One frame of a live stream. */
export interface Frame {
  readonly retryMs: number | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly id: number | null;
  /** Every byte of it, as text. */
  readonly text: string;
}

// W22 to the letter: no other field, no other order, no comment, no carriage return; the dot takes no U+2028 and U+2029.
const FRAME =
  /^(?:retry: (\d{3,5})\n)?data: (\{[^\u0085]*?\})\n(?:retry: (3600000)\n)?(?:id: (\d+)\n)?\n$/u;
const LINE_BREAK = /[\r\u0085\u2028\u2029]/u;

/** Reads one frame. @throws Error if it has anything that W22 does not have */
function parseFrame(text: string): Frame {
  const [, before, data, after, id] = FRAME.exec(text) ?? [];
  const retry = before ?? after;
  const isDouble = before !== undefined && after !== undefined;
  if (data === undefined || isDouble || data.includes("\n") || LINE_BREAK.test(text)) {
    throw new Error(`Expected a frame, got ${JSON.stringify(text)}.`);
  }
  return {
    retryMs: retry === undefined ? null : Number(retry),
    data: JSON.parse(data) as Frame["data"],
    id: id === undefined ? null : Number(id),
    text,
  };
}

/** Cuts bytes into frames as they arrive. @throws Error at a fault, and if the bytes end within a frame. */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Frame, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const frame = parseFrame(text.slice(0, end + 2));
      text = text.slice(end + 2);
      yield frame;
    }
  }
  if (text !== "") throw new Error(`Expected no half frame, got ${JSON.stringify(text)}.`);
}

import { show } from "../assert.ts";

/** One frame of a live stream. */
export interface Frame {
  readonly retryMs: number | null;
  /** The JSON text of its data. */
  readonly data: string;
  /** The data's value. */
  readonly message: Readonly<Record<string, unknown>>;
  readonly id: string | null;
}

// One space may follow a colon, as for every reader of EventSource. A `retry:` of an hour may come on either side.
const FRAME = /^(?:retry: ?(\d+)\n)?data: ?([^\n]*)\n(?:retry: ?(3600000)\n)?(?:id: ?(\d+)\n)?\n$/;
/** Characters that end a line for EventSource, or for a language that reads the JSON later. */
const LINE_BREAK = /[\r\u0085\u2028\u2029]/;

/**
 * Reads one frame by the letter of clause W22 in `WIRE.md`. What passes means the same to every reader of EventSource: there is one
 * `data` line, no field that the clause does not name, no comment, no byte order mark, and no line break but the line feed.
 * @param text up to and with its blank line
 * @throws Error that shows the text
 */
function parseFrame(text: string): Frame {
  const [, before, data = "", after, id] = FRAME.exec(text) ?? [];
  const retry = before ?? after;
  const isDouble = before !== undefined && after !== undefined;
  if (data === "" || isDouble || LINE_BREAK.test(text)) {
    throw new Error(
      `W22: Expected perhaps retry, data, perhaps id, a blank line, got ${show(text)}.`,
    );
  }
  return {
    retryMs: retry === undefined ? null : Number(retry),
    data,
    message: parseMessage(data),
    id: id ?? null,
  };
}

function parseMessage(data: string): Frame["message"] {
  let value: unknown = null;
  try {
    value = JSON.parse(data);
  } catch {
    // Shown below: the text shows more than the parser's error.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`W22: Expected a JSON object as data, got ${show(data)}.`);
  }
  return value as Frame["message"];
}

/**
 * Cuts bytes into frames as they arrive.
 * @throws Error at the first thing that clause W22 in `WIRE.md` forbids, and if the bytes end within a frame
 */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Frame, undefined, undefined> {
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
  if (text !== "") throw new Error(`W22: Expected no half frame at the end, got ${show(text)}.`);
  return undefined;
}

import { RunEventsError } from "@tm/run-events-core";
import { bounds } from "@tm/run-events-core/wire";
import { refusal } from "./refusals.ts";

/**
 * The most bytes of a body: 16 MiB, counting {@link VALUE_BYTES} for each value in it. It is this large because the transport of the AI SDK
 * and an agent of AG-UI send all messages of a chat, with their files.
 */
const MOST_BODY_BYTES = 16_777_216;
/** The time that a body may take, in milliseconds: four times as long as on the wire, since it may be four times as large. */
const BODY_MS = 120_000;

/**
 * The number of bytes that a value counts besides its text, for its memory and the time of its checks: the values of `[[],[],…]` take 20 times the
 * bytes of their text.
 */
const VALUE_BYTES = 128;

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Reads the JSON value that a request sends; `null` for text that is not JSON, and if the client breaks off.
 * @param holding counts the body, before the first byte is read by its `Content-Length`
 * @param answered resolves with the answer. What is left of a refused body is then read
 * @throws RunEventsError `payload_too_large`; `too_many_requests`; `invalid_request` if the host has read the body before, for another content
 * type, and for a body that takes more than two minutes
 */
export async function readJson(
  request: Request,
  holding: Pick<bounds.Holding, "holdBody">,
  answered: Promise<void>,
): Promise<unknown> {
  const text = await readText(request, holding, answered);
  if (text === "" && Number(request.headers.get("content-length")) > 0) throw bodyTaken();
  const bytes = weigh(text);
  if (bytes > MOST_BODY_BYTES) throw bodyTooLarge();
  holding.holdBody(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function readText(
  request: Request,
  holding: Pick<bounds.Holding, "holdBody">,
  answered: Promise<void>,
): Promise<string> {
  const unread = {
    header: (name: string) => request.headers.get(name),
    // A host reads what is left of a body, unless it was asked for: then it closes the connection, with the next requests on it.
    readBody(maxBytes: number, grow: (bytes: number) => void) {
      const { body, bodyUsed } = request;
      if (bodyUsed || body?.locked === true) throw bodyTaken();
      return bounds.readPieces(bounds.piecesOf(body, answered), maxBytes, grow, BODY_MS);
    },
  };
  try {
    const bytes = await bounds.readJsonBytes(unread, { maxBytes: MOST_BODY_BYTES, holding });
    return new TextDecoder().decode(bytes);
  } catch (error) {
    if (!(error instanceof RunEventsError)) return "null";
    throw error.code === "payload_too_large" ? bodyTooLarge() : error;
  }
}

/** The bytes that count for a text, whether or not it is JSON. */
function weigh(text: string): number {
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closeOf(text, at);
    // , : [ and { come before a value.
    else if (code === 44 || code === 58 || code === 91 || code === 123) values += 1;
  }
  return text.length + values * VALUE_BYTES;
}

/** The index of the quote that closes the string; the end of the text if none does. */
function closeOf(text: string, open: number): number {
  for (let close = open; ;) {
    close = text.indexOf('"', close + 1);
    if (close === -1) return text.length;
    let before = close - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((close - before) % 2 === 1) return close;
  }
}

/** The error for a mistake of the host. It is sent to the page, since most hosts answer thrown errors with a bare 500. */
function bodyTaken(): RunEventsError {
  return refusal(
    "invalid_request",
    "Expected a body that is still unread, got one that this server has already read. Mount the routes before body parsers.",
  );
}

function bodyTooLarge(): RunEventsError {
  return refusal(
    "payload_too_large",
    `Expected a body of ${MOST_BODY_BYTES} bytes at most, counting ${VALUE_BYTES} more for each value in it, got more. Send only the last message, and store large files elsewhere.`,
  );
}

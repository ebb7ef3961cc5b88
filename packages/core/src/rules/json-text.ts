import { RunEventsError } from "./errors.ts";
import { escapeLoneSurrogates, SealedJson } from "./sealed-json.ts";

const QUOTE = 34;
const BACKSLASH = 92;

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** The index after the string token that opens at `open`, in text that is known to be JSON. */
export function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  for (;;) {
    let before = close - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((close - before) % 2 === 1) return close + 1;
    close = text.indexOf('"', close + 1);
  }
}

/** Takes out the white space between tokens, and nothing else, of text that is known to be JSON. */
function compact(text: string): string {
  let kept = "";
  let from = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (isSpace(code)) {
      kept += text.slice(from, at);
      while (isSpace(text.charCodeAt(at))) at++;
      from = at;
    } else {
      at++;
    }
  }
  return kept + text.slice(from);
}

/**
 * JSON text that is kept token for token, from append to socket: key order, number spelling, escapes and all.
 * Its text is valid JSON without white space between tokens, and well-formed Unicode.
 * @see clause W1 in `WIRE.md` of `@tm/run-events-http`
 */
export class JsonText extends SealedJson {
  /**
   * Takes JSON text as it is, without the white space between its tokens.
   * @throws RunEventsError `invalid_event` if it is not JSON.
   */
  static parse(text: string): JsonText {
    try {
      JSON.parse(text);
    } catch (cause) {
      throw new RunEventsError(
        "invalid_event",
        "Expected JSON text, got text that is not JSON. Pass a value as it is, without JsonText.",
        {
          cause,
        },
      );
    }
    return JsonText.trusted(text);
  }

  /** Takes text that a JSON parser has already accepted, such as one value of a larger document. */
  static trusted(text: string): JsonText {
    return new JsonText(escapeLoneSurrogates(/[ \n\r\t]/.test(text) ? compact(text) : text));
  }
}

const encoder = /* @__PURE__ */ new TextEncoder();
const scratch = new Uint8Array(16_384);

/**
 * The length of well-formed text in UTF-8 bytes. The host's own encoder counts them faster than a loop over the units, even of a
 * small payload.
 */
export function utf8Bytes(text: string): number {
  // A unit takes three bytes at most.
  return text.length * 3 <= scratch.length
    ? encoder.encodeInto(text, scratch).written
    : encoder.encode(text).length;
}

/** Whether the text takes more UTF-8 bytes than the bound; counts them only where its length leaves that open. */
export function isLonger(text: string, maxBytes: number): boolean {
  return text.length > maxBytes || (text.length * 3 > maxBytes && utf8Bytes(text) > maxBytes);
}

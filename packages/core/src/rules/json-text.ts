import { hasBrand, JSON_TEXT } from "./brand.ts";
import { RunEventsError } from "./errors.ts";
import { lossOf } from "./json-loss.ts";

const QUOTE = 34;
const BACKSLASH = 92;

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** The index behind the string token that opens at `open`, in text that is known to be JSON. */
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

/** Writes each lone surrogate as its `\u` escape: the same JSON value, and text that UTF-8 can hold. */
function escapeLoneSurrogates(text: string): string {
  return text.isWellFormed()
    ? text
    : text.replace(/\p{Surrogate}/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/**
 * A JSON text that is kept token for token, from append to socket: key order, number spelling, escapes and all.
 * Its text is valid JSON without white space between tokens, and well-formed Unicode.
 * @see W1
 */
export class JsonText {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** Also accepts the texts of another copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return hasBrand(value, JSON_TEXT);
  }

  static {
    Object.defineProperty(this.prototype, JSON_TEXT, { value: true });
  }

  /**
   * Takes JSON text as it is, less the white space between its tokens.
   * @throws RunEventsError `invalid_event` if it is not JSON.
   */
  static parse(text: string): JsonText {
    try {
      JSON.parse(text);
    } catch (cause) {
      throw new RunEventsError("invalid_event", "Expected JSON text, got text that is not JSON.", {
        cause,
      });
    }
    return JsonText.trusted(text);
  }

  /** Takes text that a JSON parser has already accepted, such as one value of a larger document. */
  static trusted(text: string): JsonText {
    return new JsonText(escapeLoneSurrogates(/[ \n\r\t]/.test(text) ? compact(text) : text));
  }

  /**
   * Writes a value as JSON; `undefined` is `null`, a `JsonText` stays as it is. Inside the value the rules are those of
   * `JSON.stringify`: there a function is left out, `NaN` is `null` and a `Map` is `{}`.
   * @throws RunEventsError `invalid_event` if no JSON text holds the value: `NaN`, a function, a symbol, a BigInt, an `Error`, `Map`, `Set`,
   * `Promise` and their like without `toJSON`, a cycle, a value that is nested too deep to be written.
   */
  static of(value: unknown): JsonText {
    if (value instanceof JsonText) return value;
    if (value === undefined) return NULL_TEXT;
    const loss = lossOf(value);
    if (loss !== null) throw new RunEventsError("invalid_event", loss);
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw new RunEventsError("invalid_event", unwritable(cause), { cause });
    }
    if (text === undefined) {
      throw new RunEventsError(
        "invalid_event",
        "Expected a JSON value, but its toJSON gives none.",
      );
    }
    // `JSON.stringify` escapes lone surrogates itself, but passes on what `JSON.rawJSON` holds.
    return new JsonText(escapeLoneSurrogates(text));
  }
}

/** What `JSON.stringify` could not write. Its message may contain the caller's names, so it is only the cause. */
function unwritable(cause: unknown): string {
  if (cause instanceof RangeError)
    return "Expected a JSON value, got one that is nested too deep to be written. Flatten it.";
  const said = cause instanceof TypeError ? cause.message : "";
  if (said.includes("BigInt"))
    return "Expected a JSON value, got one that contains a BigInt. Pass it as text.";
  return /circular|cyclic/i.test(said)
    ? "Expected a JSON value, got one that contains itself. Pass an id instead."
    : "Expected a JSON value, got one whose toJSON or getter throws.";
}

const NULL_TEXT = JsonText.trusted("null");

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

import { endOfString } from "../rules/json-text.ts";

const QUOTE = 34;

/** The index after the value that starts at `start`, in text that is known to be JSON. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      if (depth === 0) return at;
      continue;
    }
    // [ and { open, ] and } close; a comma or a bracket at depth 0 ends a number or a literal.
    if (code === 91 || code === 123) depth++;
    else if (code === 93 || code === 125) {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === 44 || Number.isNaN(code))) return at;
    at++;
  }
}

/** One member of a JSON object: its key's value, and its own value as text. */
export interface JsonMember {
  readonly key: string;
  readonly text: string;
}

/**
 * The members of an object in the order of the text, repeated keys included, each value as its source text. One at a time, so a
 * caller that refuses the first has not paid for the rest.
 * The text must be known to be a JSON object (`JSON.parse` gave one): nothing is checked again.
 */
export function* eachJsonMember(text: string): Generator<JsonMember, void, undefined> {
  let at = text.indexOf("{") + 1;
  for (;;) {
    const open = text.indexOf('"', at);
    if (open === -1 || text.slice(at, open).includes("}")) return;
    const close = endOfString(text, open);
    const start = text.indexOf(":", close) + 1;
    const skipped = start + leadingSpace(text, start);
    at = endOfValue(text, skipped);
    yield {
      key: keyOf(text.slice(open + 1, close - 1)),
      text: text.slice(skipped, at).trimEnd(),
    };
  }
}

/** The key of its text between the quotes. */
function keyOf(text: string): string {
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

/** The items of an array as source texts, one at a time. The text must be known to be a JSON array, as in {@link eachJsonMember}. */
export function* eachJsonItem(text: string): Generator<string, void, undefined> {
  let at = text.indexOf("[") + 1;
  for (;;) {
    at += leadingSpace(text, at);
    const code = text.charCodeAt(at);
    if (code === 44) {
      at++;
      continue;
    }
    if (code === 93 || Number.isNaN(code)) return;
    const end = endOfValue(text, at);
    yield text.slice(at, end).trimEnd();
    at = end;
  }
}

function leadingSpace(text: string, from: number): number {
  let at = from;
  while (" \n\r\t".includes(text.charAt(at)) && at < text.length) at++;
  return at - from;
}

import { escapeJson, escapeText } from "@tm/run-events-core/wire";

/** The most characters of a payload that a row shows. */
const MOST_LENGTH = 400;

/** Members that describe an event in words. */
const WORDS = ["line", "message", "text", "phase"] as const;

/**
 * Encodes a payload in one line. An object whose only member is one of `WORDS` becomes that text. A text stays as it is, unless it could be
 * read as JSON: then it has its quotes. Any other payload becomes the
 * beginning of its JSON text. The rest of a large payload is never encoded.
 */
export function encodeSummary(payload: unknown): string {
  if (payload === null) return "";
  if (typeof payload === "string")
    return readsAsJson(payload) ? encodeAsJson(payload) : encodeWords(payload);
  if (typeof payload === "object" && !Array.isArray(payload)) {
    const members = Object.entries(payload);
    const [name, words] = members[0] ?? [];
    const isWords = members.length === 1 && WORDS.some((one) => one === name);
    if (isWords && typeof words === "string") return encodeWords(words);
  }
  return encodeAsJson(payload);
}

function encodeAsJson(payload: unknown): string {
  return escapeJson(encodeJson(payload, MOST_LENGTH)).slice(0, MOST_LENGTH);
}

/** Whether a text would look like another payload, such as a number or an object. */
function readsAsJson(text: string): boolean {
  if (!/^\s*(?:[[{"\d-]|true|false|null)/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Sequences that set a terminal's colours or its title. */
// oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
const TERMINAL = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?)/g;
// oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
const CONTROL = /[\u0000-\u001F\u007F]/g;
const LINE_END = /\s*[\n\r\u0085\u2028\u2029]+\s*/g;

/** Encodes words in one line. Control characters become visible signs, and a terminal's colours are removed. */
export function encodeWords(text: string): string {
  return escapeText(
    text
      .slice(0, MOST_LENGTH)
      .replaceAll(TERMINAL, "")
      .replaceAll(LINE_END, " ⏎ ")
      .replaceAll("\t", " ")
      .replaceAll(CONTROL, pictureOf),
  );
}

/** The visible sign that Unicode has for a control character. */
function pictureOf(control: string): string {
  const code = control.charCodeAt(0);
  return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
}

/** At least the first `room` characters of a value's JSON text. */
function encodeJson(value: unknown, room: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, room));
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  let text = isList ? "[" : "{";
  let isFirst = true;
  // Not `Object.entries`, which would first make a list of all members.
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue;
    if (text.length >= room) return text;
    if (!isFirst) text += ",";
    isFirst = false;
    if (!isList) text += `${JSON.stringify(name.slice(0, room))}:`;
    text += encodeJson((value as Readonly<Record<string, unknown>>)[name], room - text.length);
  }
  return text + (isList ? "]" : "}");
}

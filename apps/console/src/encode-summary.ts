import { escapeOf, escapeUnseen, UNSEEN } from "./escape-unseen.ts";

/** How much of a payload a row shows, in characters. */
const MOST_LENGTH = 400;

/** The members that tell an event in words, where a payload has one. The first counts. */
const WORDS = ["line", "message", "text", "phase"] as const;

/**
 * A payload in one line: its words if it is an object whose words are all that it holds, else the beginning of its JSON text. What is
 * cut off is never encoded, however large the payload.
 */
export function encodeSummary(payload: unknown): string {
  if (payload === null) return "";
  if (typeof payload === "string") return oneLine(payload);
  if (typeof payload === "object" && !Array.isArray(payload)) {
    const members = Object.entries(payload);
    const [name, words] = members[0] ?? [];
    const isWords = members.length === 1 && WORDS.some((one) => one === name);
    if (isWords && typeof words === "string") return oneLine(words);
  }
  return escapeUnseen(encodeJson(payload, MOST_LENGTH)).slice(0, MOST_LENGTH);
}

/** What colours a terminal, or names its window. */
// oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
const TERMINAL = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?)/g;
// oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
const CONTROL = /[\u0000-\u001F\u007F]/g;
const LINE_END = /\s*[\n\r\u0085\u2028\u2029]+\s*/g;

/** Text as one line: nothing in it is left out without a trace, but for a terminal's colours, nor turns the row around. */
function oneLine(text: string): string {
  return text
    .slice(0, MOST_LENGTH)
    .replaceAll(TERMINAL, "")
    .replaceAll(LINE_END, " ⏎ ")
    .replaceAll("\t", " ")
    .replaceAll(CONTROL, pictureOf)
    .replaceAll(UNSEEN, escapeOf);
}

/** The sign that Unicode has for a control character. */
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
  // Not `Object.entries`, which would make a list of all of them first.
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

/** As `JSON.stringify` indents: so many spaces a level. */
const INDENT = "  ";
/** Levels deeper than this get no further indentation: else the text would grow with the square of the depth. */
const MOST_INDENTED = 40;
/** Levels deeper than this are left out. A server takes no deeper ones, but may have old ones. */
const MOST_DEPTH = 1_000;
/** How long the text becomes at most, in characters. */
const MOST_LENGTH = 4_000_000;

/** A value as indented JSON text. */
export interface IndentedJson {
  readonly json: string;
  /** Whether something was left out, since it is too deep or too long. */
  readonly isCut: boolean;
}

/** Encodes any value that JSON text may hold, whatever its depth and size. */
export function encodeIndented(value: unknown): IndentedJson {
  const parts: string[] = [];
  let room = MOST_LENGTH;
  let isCut = false;

  function put(text: string): void {
    isCut ||= text.length > room;
    parts.push(text.slice(0, room));
    room -= Math.min(room, text.length);
  }

  function putAll(holder: object, depth: number): void {
    const isList = Array.isArray(holder);
    const [open, close] = isList ? ["[", "]"] : ["{", "}"];
    const members = holder as Readonly<Record<string, unknown>>;
    let separator = open;
    // Not `Object.keys`, which would make a list of all of them first.
    for (const name in holder) {
      if (!Object.hasOwn(holder, name)) continue;
      if (room === 0) return;
      put(`${separator}\n${INDENT.repeat(Math.min(depth + 1, MOST_INDENTED))}`);
      if (!isList) put(`${JSON.stringify(name)}: `);
      putValue(members[name], depth + 1);
      separator = ",";
    }
    if (separator === ",") put(`\n${INDENT.repeat(Math.min(depth, MOST_INDENTED))}${close}`);
    else put(open + close);
  }

  function putValue(one: unknown, depth: number): void {
    if (typeof one !== "object" || one === null) return put(JSON.stringify(one));
    if (depth < MOST_DEPTH) return putAll(one, depth);
    isCut = true;
    put("…");
  }

  putValue(value, 0);
  return { json: parts.join(""), isCut };
}

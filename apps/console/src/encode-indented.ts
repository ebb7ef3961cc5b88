/** The indentation of one level. */
const INDENT = "  ";
/** Deeper levels get no further indentation. Otherwise the text would grow with the square of the depth. */
const MOST_INDENTED = 40;
/** Deeper levels are left out. A server refuses them now, but may have old ones. */
const MOST_DEPTH = 1_000;
/** The longest text, in characters. */
const MOST_LENGTH = 4_000_000;

/** A value as indented JSON text. */
export interface IndentedJson {
  readonly json: string;
  /** Whether a part is left out, because it is too deep or too long. */
  readonly isCut: boolean;
}

/** Encodes any value of JSON, of any depth and size. */
export function encodeIndented(value: unknown): IndentedJson {
  const parts: string[] = [];
  let room = MOST_LENGTH;
  let isCut = false;

  function write(text: string): void {
    isCut ||= text.length > room;
    parts.push(text.slice(0, room));
    room -= Math.min(room, text.length);
  }

  function writeAll(holder: object, depth: number): void {
    const isList = Array.isArray(holder);
    const [open, close] = isList ? ["[", "]"] : ["{", "}"];
    const members = holder as Readonly<Record<string, unknown>>;
    let separator = open;
    // Not `Object.keys`, which would first make a list of all names.
    for (const name in holder) {
      if (!Object.hasOwn(holder, name)) continue;
      if (room === 0) return;
      write(`${separator}\n${INDENT.repeat(Math.min(depth + 1, MOST_INDENTED))}`);
      if (!isList) write(`${JSON.stringify(name)}: `);
      writeValue(members[name], depth + 1);
      separator = ",";
    }
    if (separator === ",") write(`\n${INDENT.repeat(Math.min(depth, MOST_INDENTED))}${close}`);
    else write(open + close);
  }

  function writeValue(one: unknown, depth: number): void {
    if (typeof one !== "object" || one === null) return write(JSON.stringify(one));
    if (depth < MOST_DEPTH) return writeAll(one, depth);
    isCut = true;
    write("…");
  }

  writeValue(value, 0);
  return { json: parts.join(""), isCut };
}

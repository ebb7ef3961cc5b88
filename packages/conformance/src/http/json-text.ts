const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/** A member of an object, or an item of a list. */
interface Part {
  /** `null` in a list. */
  readonly key: string | null;
  /** Its value's tokens, without the white space between them. */
  readonly text: string;
}

/** A JSON text's tokens without the white space between them. */
export function compact(json: string): string {
  return (json.match(TOKEN) ?? []).join("");
}

/**
 * The value of an object's member token for token, which a parsed value does not keep.
 * @param json known to be a JSON object
 * @returns `null` if it has no such member, or has it twice
 */
export function memberText(json: string, key: string): string | null {
  const found = partsOf(json).filter((part) => part.key === key);
  return found.length === 1 ? (found[0]?.text ?? null) : null;
}

/** The items of a list token for token. */
export function itemTexts(json: string): readonly string[] {
  return partsOf(json).map(({ text }) => text);
}

function partsOf(json: string): readonly Part[] {
  const tokens = json.match(TOKEN) ?? [];
  const isObject = tokens[0] === "{";
  const parts: Part[] = [];
  let depth = 0;
  let from = 1;
  for (const [at, token] of tokens.entries()) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    const isEnd = (depth === 1 && token === ",") || (depth === 0 && at > from);
    if (!isEnd) continue;
    const key = isObject ? (JSON.parse(tokens[from] ?? "null") as string) : null;
    parts.push({ key, text: tokens.slice(isObject ? from + 2 : from, at).join("") });
    from = at + 1;
  }
  return parts;
}

/** The three line breaks of other languages as themselves, where a stream has written them as escapes. @see clause W1 in `WIRE.md` */
export function unescapeBreaks(json: string): string {
  return json.replace(/\\(?:u(2028|2029|0085)|[^])/g, (escape, hex: string | undefined) =>
    hex === undefined ? escape : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

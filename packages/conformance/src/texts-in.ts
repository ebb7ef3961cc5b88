/** The number of objects that are looked at: an error may lead to its driver's whole state. */
const MOST_OBJECTS = 10_000;

/**
 * All texts that a value holds, however deep: in its own properties, also those that are not enumerable, and in bytes. A log that prints
 * the value may show each of them.
 */
export function textsIn(value: unknown): readonly string[] {
  const texts: string[] = [];
  const seen = new Set<object>();
  const left: unknown[] = [value];
  while (left.length > 0 && seen.size < MOST_OBJECTS) {
    const next = left.shift();
    if (typeof next === "string") texts.push(next);
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    const bytes = bytesOf(next);
    if (bytes === null) left.push(...partsOf(next));
    else texts.push(textOf(bytes));
  }
  return texts;
}

/** The bytes of a buffer, or of an array that a buffer was turned into. */
function bytesOf(value: object): readonly number[] | null {
  if (value instanceof Uint8Array) return [...value];
  const isBytes =
    Array.isArray(value) && value.length > 0 && value.every((one) => Number.isInteger(one));
  return isBytes ? (value as readonly number[]) : null;
}

/** Byte for byte: a text of ASCII characters can be read in it. */
function textOf(bytes: readonly number[]): string {
  return bytes.map((byte) => String.fromCharCode(byte & 0xff)).join("");
}

function partsOf(value: object): readonly unknown[] {
  const members = value instanceof Map || value instanceof Set ? [...value].flat() : [];
  const own = Reflect.ownKeys(value).flatMap((key) => {
    const property = Object.getOwnPropertyDescriptor(value, key);
    // A getter may do anything.
    return property !== undefined && "value" in property ? [key, property.value as unknown] : [key];
  });
  return [...members, ...own];
}

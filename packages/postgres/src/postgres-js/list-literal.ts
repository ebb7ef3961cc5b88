/** A value of a list that the store sends. */
type Item = string | number | boolean | null;

/**
 * Encodes a list as the text of a Postgres array: postgres.js would mistake the type of the first item for that of the list.
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function encodeList(items: readonly Item[]): string {
  return `{${items.map(encodeItem).join(",")}}`;
}

function encodeItem(item: Item): string {
  if (typeof item !== "string") return item === null ? "NULL" : String(item);
  return `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The values of a statement as postgres.js takes them. */
export function encodeValues(values: readonly unknown[]): unknown[] {
  return values.map((value) => (Array.isArray(value) ? encodeList(value as Item[]) : value));
}

import type { PostgresJsQueryable } from "./driver.ts";

/** A value of a list that the store sends. */
type Item = string | number | boolean | null;

/**
 * Sends a statement at once. @returns its rows
 *
 * If the statement before it failed after its first rows, or its connection was closed then, postgres.js 3.4 leaves as many empty places before
 * the rows of this one.
 * @see https://github.com/porsager/postgres/issues/1181
 */
export async function ask(
  sql: PostgresJsQueryable,
  text: string,
  values: readonly unknown[] = [],
  prepare = false,
): Promise<{ readonly rows: readonly unknown[] }> {
  const encoded = values.map((value) =>
    Array.isArray(value) ? encodeList(value as readonly Item[]) : value,
  );
  const result = await sql.unsafe(text, encoded, { prepare });
  // `filter` skips empty places.
  return { rows: result.length === 0 || 0 in result ? result : result.filter(() => true) };
}

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

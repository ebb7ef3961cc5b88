import type { PostgresJsSql } from "./driver.ts";

const EXPECTED = "Expected the function of postgres.js, what `postgres(url)` returns";

/**
 * The types of the store's columns and parameters by their ids in `pg_type`. Each has a sample: a text of Postgres and its value. The
 * store sends lists as texts. A number may also be read as a text or a BigInt.
 */
const TYPES: readonly (readonly [type: number, text: string, value: unknown])[] = [
  [16, "t", true],
  [20, "7", 7],
  [23, "7", 7],
  [25, ' "Tea" ', ' "Tea" '],
  [1000, "{t}", "{t}"],
  [1007, "{7}", "{7}"],
  [1009, '{"Tea"}', '{"Tea"}'],
  [1016, "{7}", "{7}"],
];

/**
 * Refuses a value that is not the function of postgres.js, or one that changes values between the store and the server. Its codecs cannot
 * be compared with the default ones, so each converts a sample.
 * @throws TypeError with what was expected, what came and what to do
 */
export function checkSql(sql: unknown): asserts sql is PostgresJsSql {
  if (
    typeof sql !== "function" ||
    !("unsafe" in sql) ||
    !("listen" in sql) ||
    !("options" in sql)
  ) {
    throw new TypeError(
      typeof sql === "function" && "unsafe" in sql
        ? `${EXPECTED}, got the one of a transaction. Pass that to \`clientOf\`.`
        : `${EXPECTED}, got another value. Call \`postgres(url)\`, and pass its result.`,
    );
  }
  const { transform, ...codecs } = (sql as unknown as PostgresJsSql).options;
  if (transform.column.from || transform.value.from || transform.row.from) {
    throw new TypeError(
      `${EXPECTED}, without \`transform\`, got one with it. Create another one for the store.`,
    );
  }
  checkTypes(codecs);
}

function checkTypes({
  parsers,
  serializers,
}: Pick<PostgresJsSql["options"], "parsers" | "serializers">): void {
  for (const [type, text, value] of TYPES) {
    // The store reads no lists.
    const isRead = typeof value !== "string" || type === 25;
    const read = isRead ? resultOf(parsers[type], text, value) : value;
    const written = resultOf(serializers[type], value, text);
    if (isSame(read, value) && (written === text || String(written) === String(value))) continue;
    throw new TypeError(
      `${EXPECTED}, got one whose \`types\` change Postgres' type ${type}. Create another one for the store.`,
    );
  }
}

function isSame(read: unknown, value: unknown): boolean {
  if (typeof value !== "number") return read === value;
  return ["string", "number", "bigint"].includes(typeof read) && Number(read) === value;
}

/** What the function makes of the value; `otherwise` without a function, and `undefined` if it throws. */
function resultOf(
  change: ((value: never) => unknown) | undefined,
  value: unknown,
  otherwise: unknown,
): unknown {
  try {
    return change === undefined ? otherwise : change(value as never);
  } catch {
    return undefined;
  }
}

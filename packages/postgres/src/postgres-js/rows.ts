/**
 * The rows of a result. If the statement before it failed after its first rows, or its connection was closed then, postgres.js 3.4 leaves
 * as many empty places before the rows of the next one.
 * @see https://github.com/porsager/postgres/issues/1181
 */
export function rowsOf(result: readonly unknown[]): readonly unknown[] {
  // `filter` skips empty places.
  return result.length === 0 || 0 in result ? result : result.filter(() => true);
}

const MOST_SWEEPS = 200_000;
/** It has ended when no sweep moves any unknown by more than this part of the largest. */
const PRECISION = 1e-13;

/**
 * The unknowns, none below 0, whose products with the rows come nearest to the values: the sum of the squares of the relative
 * errors is the least. An unknown that no row has is 0. Coordinate descent on the normal equations.
 * @param rows as many factors each as there are unknowns
 * @param values above 0, one a row
 */
export function fitNonNegative(
  rows: readonly (readonly number[])[],
  values: readonly number[],
): readonly number[] {
  // Divided by its value, every row is to come to 1.
  const relative = rows.map((row, at) => row.map((factor) => factor / (values[at] ?? Number.NaN)));
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, at) => relative.map((row) => row[at] ?? 0));
  // Of length 1 each, so that unknowns of any size are as near.
  const lengths = columns.map((column) => Math.sqrt(dot(column, column)));
  const units = columns.map((column, at) => column.map((factor) => factor / (lengths[at] || 1)));
  const products = units.map((column) => units.map((other) => dot(column, other)));
  const goals = units.map((column) => column.reduce((sum, factor) => sum + factor, 0));
  const found = Array.from({ length: width }, () => 0);
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let moved = 0;
    for (const [at, product] of products.entries()) {
      if (lengths[at] === 0) continue;
      const before = found[at] ?? 0;
      const after = Math.max(0, before + (goals[at] ?? 0) - dot(product, found));
      found[at] = after;
      moved = Math.max(moved, Math.abs(after - before));
    }
    if (moved <= PRECISION * Math.max(...found)) break;
  }
  return found.map((value, at) => value / (lengths[at] || 1));
}

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
}

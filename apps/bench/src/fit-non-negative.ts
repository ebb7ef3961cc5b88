/** What is left to gain by an unknown counts for nothing below this: columns have length 1. */
const PRECISION = 1e-12;
/** An unknown goes and comes a few times at most, unless rounding is all that moves it. */
const MOST_TURNS = 10;

/**
 * The unknowns, none below 0, whose products with the rows come nearest to the values: the sum of the squares of the relative
 * errors is the least. An unknown that no row has is 0. Lawson and Hanson's active sets, on the normal equations.
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
  const lengths = columns.map((column) => Math.sqrt(dot(column, column)) || 1);
  const units = columns.map((column, at) => column.map((factor) => factor / (lengths[at] ?? 1)));
  const products = units.map((column) => units.map((other) => dot(column, other)));
  const goals = units.map((column) => column.reduce((sum, factor) => sum + factor, 0));
  return findNonNegative(products, goals).map((value, at) => value / (lengths[at] ?? 1));
}

/** The minimum of x·Px / 2 - g·x without an x below 0: unknowns leave 0 one by one, those that would fall below it go back. */
function findNonNegative(
  products: readonly (readonly number[])[],
  goals: readonly number[],
): readonly number[] {
  let found: readonly number[] = goals.map(() => 0);
  let free: readonly number[] = [];
  for (let turn = 0; turn < MOST_TURNS * goals.length; turn++) {
    const gains = products.map((row, at) =>
      free.includes(at) ? 0 : (goals[at] ?? 0) - dot(row, found),
    );
    const most = Math.max(...gains);
    if (!(most > PRECISION)) break;
    free = [...free, gains.indexOf(most)];
    for (;;) {
      const best = solveAmong(free, products, goals);
      const below = free.filter((at) => (best[at] ?? 0) <= 0);
      if (below.length === 0) {
        found = best;
        break;
      }
      // As far towards the best as none falls below 0.
      const steps = below.map((at) => {
        const value = found[at] ?? 0;
        return value === 0 ? 0 : value / (value - (best[at] ?? 0));
      });
      const step = Math.min(...steps);
      const stopped = below.filter((_, index) => steps[index] === step);
      found = found.map((value, at) =>
        stopped.includes(at) ? 0 : value + step * ((best[at] ?? 0) - value),
      );
      free = free.filter((at) => !stopped.includes(at));
    }
  }
  return found;
}

/** The solution of the equations of the free unknowns, the others being 0: Gauss and Jordan's, with pivots. */
function solveAmong(
  free: readonly number[],
  products: readonly (readonly number[])[],
  goals: readonly number[],
): readonly number[] {
  const rows = free.map((at) => [
    ...free.map((other) => products[at]?.[other] ?? 0),
    goals[at] ?? 0,
  ]);
  for (let column = 0; column < free.length; column++) {
    const size = (row: readonly number[]): number => Math.abs(row[column] ?? 0);
    const left = rows.slice(column);
    const pivot = left.reduce((best, row) => (size(row) > size(best) ? row : best));
    const at = rows.indexOf(pivot);
    [rows[at], rows[column]] = [rows[column] ?? [], pivot];
    for (const [index, row] of rows.entries()) {
      if (row === pivot) continue;
      const factor = (row[column] ?? 0) / (pivot[column] ?? 0);
      rows[index] = row.map((value, place) => value - factor * (pivot[place] ?? 0));
    }
  }
  const solution = goals.map(() => 0);
  for (const [index, at] of free.entries()) {
    solution[at] = (rows[index]?.[free.length] ?? 0) / (rows[index]?.[index] ?? 0);
  }
  return solution;
}

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
}

/**
 * Joins neighbouring values.
 * @param joinTwo makes the value that does what these two do one after the other; `null` if they stay two
 */
export function joinNeighbours<Value>(
  values: Iterable<Value>,
  joinTwo: (earlier: Value, later: Value) => Value | null,
): Value[] {
  const joined: Value[] = [];
  for (const value of values) {
    const earlier = joined.at(-1);
    const both = earlier === undefined ? null : joinTwo(earlier, value);
    if (both === null) joined.push(value);
    else joined[joined.length - 1] = both;
  }
  return joined;
}

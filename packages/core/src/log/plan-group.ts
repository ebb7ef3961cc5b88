/** The parts of a waiting item that decide how a group is cut. */
export interface WaitingItem {
  /** Items of one key are cut in the order in which they came. The items of one key have one owner. */
  readonly key: string;
  readonly owner: string;
  readonly weight: number;
}

/** The bounds of one group. */
export interface GroupBounds {
  readonly maxItems: number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
}

/**
 * Plans the next group: owners take turns, an item each, until nothing more fits. The next item of an owner that does not fit is left, with
 * all that follow it, and the others go on.
 * @param owners the items of each owner that may go, in the order of the owners' turns
 * @returns how many items of each owner are in the group, from the front
 */
export function planGroup(
  owners: readonly (readonly Pick<WaitingItem, "weight">[])[],
  { maxItems, maxWeight }: GroupBounds,
): readonly number[] {
  const counts = owners.map(() => 0);
  let open = owners.length;
  let count = 0;
  let weight = 0;
  // An owner that is done has no more turns.
  const isDone = owners.map(() => false);
  for (let at = 0; open > 0; at = (at + 1) % owners.length) {
    if (isDone[at]) continue;
    const next = owners[at]?.[counts[at] ?? 0];
    const fits = count === 0 || (next !== undefined && weight + next.weight <= maxWeight);
    if (next === undefined || count === maxItems || !fits) {
      isDone[at] = true;
      open -= 1;
      continue;
    }
    counts[at] = (counts[at] ?? 0) + 1;
    count += 1;
    weight += next.weight;
  }
  return counts;
}

/** The parts of a waiting item that decide how a group is cut. */
export interface WaitingItem {
  /** Items of one key are cut in the order of the queue. */
  readonly key: string;
  /** The item's owner. The items of one key have one owner. */
  readonly owner: string;
  readonly weight: number;
}

/** The bounds of one group. */
export interface GroupBounds {
  /** Keys that are in flight: their items wait. */
  readonly busy: ReadonlySet<string>;
  readonly maxItems: number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
  /** The same while several owners share the queue, except for a heavier item that is first in its owner's turn. */
  readonly sharedWeight: number;
  /** Whether several owners have shared the queue just now, even if one is alone in it at the moment. */
  readonly isShared: boolean;
  /** The number of the last group that each waiting owner was in. One that is not in it has come after the last group. */
  readonly turns: ReadonlyMap<string, number>;
  /** The number of this group. */
  readonly turn: number;
}

/** A group and the items that keep waiting, in the order of the queue. */
export interface GroupPlan<Item> {
  readonly group: readonly Item[];
  readonly rest: readonly Item[];
  /** The turns of the owners that keep waiting. */
  readonly turns: ReadonlyMap<string, number>;
}

/**
 * Cuts the next group out of a queue. A queue of one owner is cut from the front. Several owners share the group: each gets an
 * equal part of its weight and items, and the others may use what remains. If not all owners fit, those come first whose
 * last group was the longest ago. So an owner waits for as many groups as the owners fill, even if some add very much.
 *
 * An item that is heavier than the shared weight is sent when its owner's turn comes, together with light items. So later items wait
 * for one heavy item, not for a whole group of them.
 */
export function planGroup<Item extends WaitingItem>(
  queue: readonly Item[],
  bounds: GroupBounds,
): GroupPlan<Item> {
  const ready = bounds.busy.size === 0 ? queue : queue.filter(({ key }) => !bounds.busy.has(key));
  const flows = flowsOf(ready, bounds);
  const chosen = flows.length > 1 ? share(flows, bounds) : takeFront(ready, bounds);
  // In the order of the queue: calls for one run that meet in a group land in the order of their arrival.
  if (chosen.length === queue.length) return { group: queue, rest: [], turns: NO_TURNS };
  const taken = new Set<Item>(chosen);
  const group = flows.length > 1 ? queue.filter((item) => taken.has(item)) : chosen;
  const rest = queue.filter((item) => !taken.has(item));
  return { group, rest, turns: turnsOf(rest, taken, bounds) };
}

/** The waiting items of one owner, in the order of the queue. */
interface Flow<Item> {
  readonly owner: string;
  readonly items: Item[];
  /** How many of them are in the group. */
  taken: number;
}

/**
 * The items by owner; for a single owner they are not listed. Owners whose last group was the longest ago come first, and among
 * them those whose first item is light.
 */
function flowsOf<Item extends WaitingItem>(
  ready: readonly Item[],
  { turns, turn }: GroupBounds,
): Flow<Item>[] {
  const [first] = ready;
  if (first === undefined) return [];
  if (ready.every(({ owner }) => owner === first.owner))
    return [{ owner: first.owner, items: [], taken: 0 }];
  const flows = new Map<string, Flow<Item>>();
  for (const item of ready) {
    let flow = flows.get(item.owner);
    if (flow === undefined) {
      flow = { owner: item.owner, items: [], taken: 0 };
      flows.set(item.owner, flow);
    }
    flow.items.push(item);
  }
  const turnOf = ({ owner }: Flow<Item>): number => turns.get(owner) ?? turn - 1;
  return [...flows.values()].toSorted(
    (a, b) => turnOf(a) - turnOf(b) || (a.items[0]?.weight ?? 0) - (b.items[0]?.weight ?? 0),
  );
}

function takeFront<Item extends WaitingItem>(
  ready: readonly Item[],
  { maxItems, maxWeight, sharedWeight, isShared }: GroupBounds,
): readonly Item[] {
  const most = isShared ? Math.min(maxWeight, sharedWeight) : maxWeight;
  let weight = 0;
  let count = 0;
  for (const item of ready) {
    weight += item.weight;
    if (count > 0 && (count === maxItems || weight > most)) break;
    count += 1;
  }
  return count === ready.length ? ready : ready.slice(0, count);
}

function share<Item extends WaitingItem>(
  flows: readonly Flow<Item>[],
  bounds: GroupBounds,
): readonly Item[] {
  const { maxItems, maxWeight } = bounds;
  const sharedWeight = Math.min(maxWeight, bounds.sharedWeight);
  const group: Item[] = [];
  let weight = 0;
  /** The weight taken so far, without an item that is heavier than the shared weight. */
  let sharedTaken = 0;

  function take(flow: Flow<Item>): boolean {
    const item = flow.items[flow.taken];
    if (item === undefined || group.length === maxItems) return false;
    const isHeavy = item.weight > sharedWeight && group.length === 0;
    const fits =
      isHeavy || (weight + item.weight <= maxWeight && sharedTaken + item.weight <= sharedWeight);
    if (!fits && group.length > 0) return false;
    group.push(item);
    flow.taken += 1;
    weight += item.weight;
    if (!isHeavy) sharedTaken += item.weight;
    return true;
  }

  // An equal part for each, at least one item while there is room. Then the rest in turns.
  const partOfItems = Math.floor(maxItems / flows.length);
  const partOfWeight = sharedWeight / flows.length;
  for (const flow of flows) {
    let mine = flow.items[0]?.weight ?? 0;
    while (take(flow) && flow.taken < partOfItems) {
      mine += flow.items[flow.taken]?.weight ?? 0;
      if (mine > partOfWeight) break;
    }
  }
  let open = flows;
  while (open.length > 0) open = open.filter(take);
  return group;
}

/** The turns of the owners that still wait. An owner with nothing left is forgotten, and returns as a new one. */
function turnsOf<Item extends WaitingItem>(
  rest: readonly Item[],
  taken: ReadonlySet<Item>,
  { turns, turn }: GroupBounds,
): ReadonlyMap<string, number> {
  const served = new Set([...taken].map(({ owner }) => owner));
  const next = new Map<string, number>();
  for (const { owner } of rest)
    if (!next.has(owner))
      next.set(owner, served.has(owner) ? turn : (turns.get(owner) ?? turn - 1));
  return next;
}

const NO_TURNS: ReadonlyMap<string, number> = new Map();

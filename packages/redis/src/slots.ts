import type { RunName } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";

/** The most runs of one script, so that no script occupies the server for long. */
const SCRIPT_RUNS = 32;
/** The weight of one script, likewise. A heavier item has a script of its own. */
const SCRIPT_WEIGHT = 1_000;

/** An item with its index in the call. */
export interface Placed<Item> {
  readonly item: Item;
  readonly at: number;
}

/**
 * Packs items into scripts: in a cluster those of one bucket, on one server any.
 * @param weigh what an item is worth of the 1,000 of a script
 */
export function packScripts<Item extends RunName>(
  { redis, keys }: Connection,
  items: readonly Item[],
  weigh: (item: Item) => number,
): readonly (readonly Placed<Item>[])[] {
  const placed = items.map((item, at): Placed<Item> => ({ item, at }));
  if (!isCluster(redis)) return cutScripts(placed, weigh);
  const byBucket = Map.groupBy(placed, ({ item }) => keys.bucketOf(item.ownerId));
  return [...byBucket.values()].flatMap((ofOne) => cutScripts(ofOne, weigh));
}

function cutScripts<Item>(
  placed: readonly Placed<Item>[],
  weigh: (item: Item) => number,
): readonly (readonly Placed<Item>[])[] {
  const scripts: Placed<Item>[][] = [];
  let weight = 0;
  for (const one of placed) {
    const its = weigh(one.item);
    const script = scripts.at(-1);
    if (script === undefined || script.length === SCRIPT_RUNS || weight + its > SCRIPT_WEIGHT) {
      scripts.push([one]);
      weight = its;
    } else {
      script.push(one);
      weight += its;
    }
  }
  return scripts;
}

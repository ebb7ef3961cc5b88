import type { RunName } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";

/** The most runs of one script, so that no script occupies the server for long. */
const SCRIPT_RUNS = 32;

/** An item with its index in the call. */
export interface Placed<Item> {
  readonly item: Item;
  readonly at: number;
}

/**
 * Packs items into scripts: in a cluster a script has items of one bucket, on a single server of any.
 * @param isLarge whether an item needs a script of its own
 */
export function packScripts<Item extends RunName>(
  { redis, keys }: Connection,
  items: readonly Item[],
  isLarge: (item: Item) => boolean = () => false,
): readonly (readonly Placed<Item>[])[] {
  const scripts: Placed<Item>[][] = [];
  /** The last script of each bucket, while it has room. */
  const open = new Map<number, Placed<Item>[]>();
  items.forEach((item, at) => {
    const bucket = isCluster(redis) ? keys.bucketOf(item.ownerId) : 0;
    const script = isLarge(item) ? undefined : open.get(bucket);
    if (script !== undefined && script.length < SCRIPT_RUNS) {
      script.push({ item, at });
      return;
    }
    const own = [{ item, at }];
    scripts.push(own);
    if (!isLarge(item)) open.set(bucket, own);
  });
  return scripts;
}

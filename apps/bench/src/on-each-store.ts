import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import type { Figure } from "./report.ts";
import type { StoreKind } from "./stores.ts";
import { createTempFolder } from "./temp-folder.ts";

/** A rewrite of the file comes at every doubling, takes a core for itself, and slows the subject that runs then. */
const NO_REWRITE = ["--auto-aof-rewrite-percentage", "0"];

/** Where the log of each store is: a new file, or a server of its own. */
export type Locations = Readonly<Record<StoreKind, string>>;

/** Starts the servers. */
export async function startStores(scope: AsyncDisposableStack): Promise<Locations> {
  const folder = await createTempFolder(scope);
  const postgres = await startPostgres();
  scope.defer(() => postgres.close());
  const redis = await startRedis({ settings: NO_REWRITE });
  scope.defer(() => redis.close());
  return {
    sqlite: join(folder, "log.db"),
    memory: "",
    postgres: await postgres.createDatabase(),
    redis: redis.url,
  };
}

/** Measures these stores one after the other, each with processes of its own. */
export async function measureOnEachStore(
  scope: AsyncDisposableStack,
  stores: readonly StoreKind[],
  measure: (
    scope: AsyncDisposableStack,
    store: StoreKind,
    location: string,
  ) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  const locations = await startStores(scope);
  const figures: Figure[] = [];
  for (const store of stores) {
    await using processes = new AsyncDisposableStack();
    figures.push(...(await measure(processes, store, locations[store])));
  }
  return figures;
}

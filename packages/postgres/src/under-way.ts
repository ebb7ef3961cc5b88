import type { PostgresQueryable } from "./driver.ts";

/** An append that is under way in a transaction of the caller's. */
export interface Turn {
  /** The append before it to the same run, if one is under way: a transaction's own lock does not keep them apart. */
  readonly before: Promise<void> | undefined;
  /** It sends no more statements. */
  end(): void;
  /** Resolves when no append that is under way on the client sends more statements. */
  readonly others: () => Promise<void>;
}

/** By client: for each append under way, which run it is to. */
const underWay = new WeakMap<PostgresQueryable, Map<Promise<void>, string>>();

/** Begins an append. @param run the key of its run's name */
export function takeTurn(client: PostgresQueryable, run: string): Turn {
  const appends = underWay.get(client) ?? new Map<Promise<void>, string>();
  underWay.set(client, appends);
  const [before] = [...appends].findLast(([, name]) => name === run) ?? [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  appends.set(over, run);
  return {
    before,
    end() {
      appends.delete(over);
      resolve();
    },
    async others() {
      await Promise.all(appends.keys());
    },
  };
}

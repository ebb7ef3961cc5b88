import { takesPlain } from "../src/rules/append-rule.ts";
import { type Head, nameKey, type RunName } from "../src/rules/head.ts";
import type { Change, RunEventStore } from "../src/store/store.ts";

/** What reaches a store: a write by what it does to its run, and the read of a run's head. */
export type StoreCall = "create" | "append" | "claim" | "renew" | "release" | "remove" | "getRun";

/** A hook on a call: it may wait, fail, or let the call through. */
export type Hook = <T>(call: StoreCall, go: () => Promise<T>) => Promise<T>;

/**
 * A store whose calls pass a hook. A write is known by what it would do to its run now. If it would do nothing, since it is refused or has
 * landed before, it is known by what was asked for first: by its plain case, by its key, or when it was decided before.
 * @param now the store's clock
 */
export function hookStore(store: RunEventStore, now: () => number, hook: Hook): RunEventStore {
  /** By run, what was asked for as plain and is not. */
  const notPlain = new Map<string, Set<StoreCall>>();
  const known = new WeakMap<Change<unknown>["decide"], Set<StoreCall>>();

  function callsOfChange(change: Change<unknown>, head: Head | null): Set<StoreCall> {
    const key = nameKey(change);
    const { keys = [], decide } = change;
    const calls = known.get(decide) ?? new Set(callsOf(change, head, now()));
    const asked = calls.size > 0 ? calls : new Set(notPlain.get(key));
    // Only an append has a key.
    if (keys.length > 0) asked.add("append");
    notPlain.delete(key);
    known.set(decide, asked);
    return asked;
  }

  /** Passes one hook after another. */
  function through<T>(calls: ReadonlySet<StoreCall>, go: () => Promise<T>): Promise<T> {
    return [...calls].reduce((inner, call) => () => hook(call, inner), go)();
  }

  async function headsOf(names: readonly RunName[]): Promise<readonly (Head | null)[]> {
    const query = { since: 0, limit: 0, maxBytes: 1, wantsMetadata: true };
    const found = await store.read(
      names.map(({ ownerId, runId }) => ({ ownerId, runId, ...query })),
    );
    return found.map((result) => result?.head ?? null);
  }

  return {
    ...store,
    async append(plains) {
      const heads = await headsOf(plains);
      const calls = new Set<StoreCall>();
      plains.forEach((plain, at) => {
        const call = plain.events.length === 0 ? "renew" : "append";
        if (takesPlain(heads[at] ?? null, plain, now())) calls.add(call);
        else getOrAdd(notPlain, nameKey(plain)).add(call);
      });
      return through(calls, () => store.append(plains));
    },
    async change(changes) {
      const heads = await headsOf(changes);
      const calls = changes.map((change, at) => callsOfChange(change, heads[at] ?? null));
      return through(new Set(calls.flatMap((some) => [...some])), () => store.change(changes));
    },
    read(queries) {
      const isOfHead = queries.every(({ limit, wantsMetadata }) => limit === 0 && wantsMetadata);
      return isOfHead ? hook("getRun", () => store.read(queries)) : store.read(queries);
    },
  };
}

function getOrAdd(sets: Map<string, Set<StoreCall>>, key: string): Set<StoreCall> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}

/** What a change would do now. */
function callsOf(
  { decide }: Change<unknown>,
  head: Head | null,
  nowMs: number,
): readonly StoreCall[] {
  const seen = { receipts: new Map(), holder: null, nowMs };
  const { after, events = [] } = decide({ ...seen, head, ordinal: head?.ordinal ?? 1 });
  if (after === undefined) return [];
  if (after === null) return ["remove"];
  if (head === null) return after.fence === 0 ? ["create"] : ["create", "claim"];
  const calls: StoreCall[] = events.length === 0 ? [] : ["append"];
  const { fence, leaseExpiresAtMs } = head;
  if (after.leaseExpiresAtMs === null) {
    return calls.length > 0 || leaseExpiresAtMs === null ? calls : ["release"];
  }
  if (after.fence > fence) return ["claim", ...calls];
  return after.leaseExpiresAtMs === leaseExpiresAtMs ? calls : ["renew", ...calls];
}

import { type Plain, takesPlain } from "../src/rules/append-rule.ts";
import type { Head, RunName } from "../src/rules/head.ts";
import type { Change, RunEventStore } from "../src/store/store.ts";

/** What reaches a store: a write by what it does to its run, and the read of a run's head. */
export type StoreCall = "create" | "append" | "claim" | "renew" | "release" | "remove" | "getRun";

/** A hook on a call: it may wait, fail, or let the call through. */
export type Hook = <T>(call: StoreCall, go: () => Promise<T>) => Promise<T>;

/**
 * A store whose calls pass a hook. A write is known by what it would do to its run now: one that would change nothing, such as a refused
 * one, passes no hook.
 * @param now the store's clock
 */
export function hookStore(store: RunEventStore, now: () => number, hook: Hook): RunEventStore {
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
      const taken = plains.filter((plain, at) => takesPlain(heads[at] ?? null, plain, now()));
      return through(new Set(taken.map(callOfPlain)), () => store.append(plains));
    },
    async change(changes) {
      const heads = await headsOf(changes);
      const calls = changes.flatMap((change, at) => callsOf(change, heads[at] ?? null, now()));
      return through(new Set(calls), () => store.change(changes));
    },
    read(queries) {
      const isOfHead = queries.every(({ limit, wantsMetadata }) => limit === 0 && wantsMetadata);
      return isOfHead ? hook("getRun", () => store.read(queries)) : store.read(queries);
    },
  };
}

function callOfPlain({ events }: Plain): StoreCall {
  return events.length === 0 ? "renew" : "append";
}

/** What a change would do now. */
function callsOf(
  { decide }: Change<unknown>,
  head: Head | null,
  nowMs: number,
): readonly StoreCall[] {
  const { after, events = [] } = decide({
    ...{ head, nowMs, holder: null },
    ...{ receipts: new Map(), ordinal: head?.ordinal ?? 1 },
  });
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

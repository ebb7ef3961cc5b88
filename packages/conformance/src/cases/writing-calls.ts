import { append, event, events, land } from "../append-request.ts";
import { assert } from "../assert.ts";
import { claim, freed, granted, LONG_MS, renewed } from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";

/** An idempotency key, for cases that need only one. */
export const KEYED = { idempotencyKey: "key" } as const;

/** A call that writes, and what it writes to: each call has its own run. */
export interface WritingCall {
  readonly name: string;
  /** Whether the call may be sent again after it has landed, and then does not land a second time. */
  readonly isRepeatable: boolean;
  prepare(store: KitStore): Promise<unknown>;
  /** @throws Error unless the answer says that the call landed, or, for a repeatable call, had landed before */
  send(store: KitStore): Promise<unknown>;
  /** The number of times that the call has landed since `prepare`. */
  landings(store: KitStore): Promise<number>;
}

/** A renewal asks for an end that is later than a claim's by more than a case takes. */
const RENEWED_MS = 2 * LONG_MS;
/** A lease that ends later than this from its claim was renewed. */
const BETWEEN_MS = 1.5 * LONG_MS;
const BATCH = 2;

/** Calls on a lease, on a run that is claimed before. */
function leased(
  name: string,
  runId: string,
  send: (store: KitStore, fence: number) => Promise<unknown>,
  hasLanded: (leaseExpiresAtMs: number | null, claimedUntilMs: number) => boolean,
): WritingCall {
  const held = new WeakMap<KitStore, { fence: number; leaseExpiresAtMs: number }>();
  function heldOn(store: KitStore): { fence: number; leaseExpiresAtMs: number } {
    const found = held.get(store);
    if (found === undefined) throw new TypeError("Expected a store that was prepared.");
    return found;
  }
  return {
    name,
    isRepeatable: true,
    async prepare(store) {
      await createRun(store, runId);
      held.set(store, await claim(store, runId));
    },
    send: (store) => send(store, heldOn(store).fence),
    async landings(store) {
      const run = await store.getRun(runId);
      const { leaseExpiresAtMs } = heldOn(store);
      return hasLanded(run?.leaseExpiresAtMs ?? null, leaseExpiresAtMs) ? 1 : 0;
    },
  };
}

function claiming(name: string, runId: string, key: { readonly claimKey?: string }): WritingCall {
  return {
    name,
    isRepeatable: key.claimKey !== undefined,
    prepare: (store) => createRun(store, runId),
    send: async (store) => granted(await store.claim({ runId, leaseMs: LONG_MS, ...key }), name),
    landings: async (store) => ((await store.getRun(runId))?.leaseExpiresAtMs == null ? 0 : 1),
  };
}

function removing(
  name: string,
  runId: string,
  send: (store: KitStore) => Promise<unknown>,
): WritingCall {
  return {
    name,
    isRepeatable: true,
    async prepare(store) {
      await createRun(store, runId);
      await land(store, runId, [event("RUN_COMPLETED")]);
    },
    send,
    landings: async (store) => ((await store.getRun(runId)) === null ? 1 : 0),
  };
}

async function batchesIn(store: KitStore, runId: string): Promise<number> {
  return (await readLog(store, runId)).events.length / BATCH;
}

/** Every call that writes into runs; appends and claims with a key and without. */
export const WRITING_CALLS: readonly WritingCall[] = [
  {
    name: "an append under a key",
    isRepeatable: true,
    prepare: (store) => createRun(store, "keyed"),
    async send(store) {
      const { outcome } = await append(store, "keyed", events(BATCH), KEYED);
      assert(
        outcome === "appended" || outcome === "replayed",
        `an append under a key is appended or replayed, got ${outcome}`,
      );
    },
    landings: (store) => batchesIn(store, "keyed"),
  },
  {
    name: "an append without a key",
    isRepeatable: false,
    prepare: (store) => createRun(store, "keyless"),
    send: (store) => land(store, "keyless", events(BATCH)),
    landings: (store) => batchesIn(store, "keyless"),
  },
  {
    name: "a creation",
    isRepeatable: true,
    prepare: async () => {},
    async send(store) {
      const request = { runId: "created", ownerId: OWNER, metadata: "null" };
      await store.createRun(request);
    },
    landings: async (store) => ((await store.getRun("created")) === null ? 0 : 1),
  },
  claiming("a claim under a key", "claimed-under-a-key", { claimKey: "key" }),
  claiming("a claim without a key", "claimed", {}),
  leased(
    "a renewal",
    "renewed",
    async (store, fence) => {
      const request = { runId: "renewed", fence, leaseMs: RENEWED_MS };
      renewed(await store.renew(request), "a renewal");
    },
    (leaseExpiresAtMs, claimedUntilMs) =>
      leaseExpiresAtMs !== null && leaseExpiresAtMs > claimedUntilMs - LONG_MS + BETWEEN_MS,
  ),
  leased(
    "a release",
    "released",
    async (store, fence) => freed(await store.release({ runId: "released", fence }), "a release"),
    (leaseExpiresAtMs) => leaseExpiresAtMs === null,
  ),
  removing("a deletion", "deleted", async (store) => {
    const outcome = await store.deleteRun("deleted");
    assert(outcome !== "active", `a deletion is deleted or not_found, got ${outcome}`);
  }),
  removing("a purge", "purged", async (store) => {
    await store.purge({ finishedForMs: 0, limit: 10 });
  }),
];

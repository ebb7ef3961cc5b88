import {
  headAfterPlain,
  landingOf,
  type Plain,
  type PlainLanding,
  takesPlain,
} from "../rules/append-rule.ts";
import { type Head, nameKey, type RunName } from "../rules/head.ts";
import { createCalls } from "./calls.ts";
import type { Change, DueQuery, OwnerQuery, ReadQuery, Store } from "./contract.ts";
import { MemoryRuns } from "./memory-runs.ts";
import { createNotifier } from "./notifier.ts";
import { ownerName } from "../rules/owner-name.ts";
import { closedSubscription } from "./polled-notifications.ts";

/** Settings of {@link createMemoryStore}. */
export interface MemoryStoreOptions {
  /**
   * The store's clock, in milliseconds since 1970.
   * @defaultValue `Date.now`
   */
  readonly now?: () => number;
}

/**
 * Makes a store in memory. All data is in this process and is lost with it. Each call is one synchronous block, so no other call can come
 * between its checks and its writes.
 *
 * @example
 * const runs = createRunEvents({ store: createMemoryStore() });
 */
export function createMemoryStore({ now }: MemoryStoreOptions = {}): Store {
  // Looked up at each call, so that a test that sets the date also sets the store's clock.
  const clock = now ?? ((): number => Date.now());
  const runs = new MemoryRuns();
  const calls = createCalls();
  const notifier = createNotifier();
  let isClosed = false;

  function notify(name: RunName): void {
    notifier.notify(nameKey(name));
    notifier.notify(ownerName(name.ownerId));
  }

  function appendOne(plain: Plain, undecided: Set<string>): PlainLanding | null {
    const key = nameKey(plain);
    const run = runs.find(key);
    const nowMs = clock();
    const head = run?.head ?? null;
    const { idempotencyKey } = plain;
    const isNew = idempotencyKey === null || run?.receipts.has(idempotencyKey) !== true;
    if (run === undefined || undecided.has(key) || !isNew || !takesPlain(head, plain, nowMs)) {
      undecided.add(key);
      return null;
    }
    const after = headAfterPlain(head, plain, nowMs);
    const landing = landingOf(after, plain);
    const receipts = idempotencyKey === null ? [] : [{ idempotencyKey, ...landing }];
    runs.write(run, after, plain.events, receipts);
    if (plain.events.length > 0) notify(plain);
    return landing;
  }

  function changeOne<Answer>(change: Change<Answer>): Answer {
    const key = nameKey(change);
    const run = runs.find(key);
    const { keys = [], topic = null, wantsMetadata = false } = change;
    const { answer, after, events, receipts } = change.decide({
      head:
        run === undefined
          ? null
          : { ...run.head, ...(wantsMetadata && { metadata: run.metadata }) },
      receipts: run === undefined ? new Map() : runs.receiptsOf(run, keys),
      holder: topic === null ? null : runs.holderOf(change.ownerId, topic),
      nowMs: clock(),
      ordinal: runs.nextOrdinal(),
    });
    if (after === undefined) return answer;
    if (after === null) {
      if (run !== undefined) runs.remove(key, run);
    } else if (run === undefined) {
      runs.create(key, after);
    } else {
      runs.write(run, after, events ?? [], receipts ?? []);
    }
    if (after === null || run === undefined || (events ?? []).length > 0) notify(change);
    return answer;
  }

  return {
    capabilities: {
      durability: "memory",
      shared: false,
      joinsTransaction: false,
      losesAnswers: false,
      appendsAtOnce: 1,
      notifyWithinMs: 0,
      mostEvents: Number.MAX_SAFE_INTEGER,
      mostBytes: Number.MAX_SAFE_INTEGER,
    },
    append: (plains) =>
      calls.run(async () => {
        const undecided = new Set<string>();
        return plains.map((plain) => appendOne(plain, undecided));
      }),
    change: (changes) => calls.run(async () => changes.map((change) => changeOne(change))),
    read: (queries: readonly ReadQuery[]) =>
      calls.run(async () => queries.map((query) => runs.read(nameKey(query), query))),
    list: (query: OwnerQuery | DueQuery) =>
      calls.run(async (): Promise<readonly Head[]> =>
        "due" in query ? runs.listDue(query) : runs.listOwned(query),
      ),
    probe: () => calls.run(async () => clock()),
    subscribe(name, onNotification) {
      if (isClosed) return closedSubscription();
      const key = "runId" in name ? nameKey(name) : ownerName(name.ownerId);
      const stop = notifier.add(key, () => onNotification(null));
      return { ready: Promise.resolve(), stop };
    },
    close() {
      isClosed = true;
      notifier.clear();
      return calls.close();
    },
  };
}

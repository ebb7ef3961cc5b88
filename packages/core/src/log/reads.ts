import { Followers } from "../follow/followers.ts";
import type { WatchSource } from "../follow/owner-watch.ts";
import { SLICE_BYTES } from "../follow/slice.ts";
import { tailSlices } from "../follow/tail.ts";
import { Watches } from "../follow/watches.ts";
import { checkBound } from "../rules/check-bound.ts";
import { checkCursor, clampCursor } from "../rules/cursor.ts";
import { runNotFound } from "../rules/errors.ts";
import { checkAt, checkHistory } from "../rules/history.ts";
import { recordOf, runOf } from "../rules/head.ts";
import { ownerIdOf } from "../rules/owner.ts";
import { eventBytes, planPage, type ReadQuery, type ReadResult } from "../rules/page.ts";
import { checkTail, tailStart } from "../rules/tail-start.ts";
import { checkRunId } from "../rules/run-id.ts";
import type { Report } from "../rules/telemetry.ts";
import type { Clock } from "../time/clock.ts";
import type {
  ReadQuery as StoreQuery,
  ReadResult as StoreResult,
  RunEventStore,
} from "../store/store.ts";
import { Batcher } from "./batcher.ts";
import { readAfter } from "./read-after.ts";
import type { RunLog } from "./run-log.ts";
import { sendReads } from "./send-reads.ts";

/**
 * The most weight of one group of reads, in bytes: some slices of a large page, or the new events of many followed runs. A group holds
 * up the groups after it, so it must not take long.
 */
const GROUP_BYTES = 1_048_576;
/** The weight of a read of up to one slice, in bytes: few readers that follow have a whole slice to read. */
const SLICE_READ_BYTES = 3_072;
const GROUP_ITEMS = 1_024;
const PAGE_LIMIT = 500;
const PAGE_BYTES = 4_194_304;

/** The ways to read a log: pages for pollers, and followers for live readers. All share one queue. */
export interface Reads extends Pick<RunLog, "readPage" | "tailStart" | "waitFor"> {
  readonly followers: Followers;
  readonly watches: Watches;
  /** Resolves when no read is under way. */
  idle(): Promise<void>;
}

export function createReads(
  store: Pick<RunEventStore, "list" | "read" | "subscribe">,
  clock: Clock,
  maxPayloadBytes: number,
  report: Report | null,
): Reads {
  const queue = new Batcher<StoreQuery, StoreResult | null>({
    send: (group) => sendReads(store, group),
    clock,
    weigh({ limit, maxBytes }) {
      const most = Math.min(maxBytes, eventBytes(maxPayloadBytes) * limit);
      return most <= SLICE_BYTES ? SLICE_READ_BYTES : most;
    },
    // Also while owners share the queue: most reads return little, even with a large limit.
    maxWeight: GROUP_BYTES,
    groupsAtOnce: 1,
    maxItems: GROUP_ITEMS,
  });

  async function read(query: ReadQuery): Promise<ReadResult | null> {
    checkRunId(query.runId);
    return readAfter((asked) => queue.add(asked), query);
  }

  async function startOf(runId: string, ownerId: string, tail: number): Promise<number> {
    const head = await read({ runId, ownerId, since: 0, limit: 0, maxBytes: 1 });
    if (head === null) throw runNotFound();
    return tailStart(head.run.lastSequence, tail);
  }

  const source: WatchSource = {
    read,
    list: async (asked) => (await store.list(asked)).map((head) => recordOf(runOf(head))),
    subscribe: (subject, onNotification) => store.subscribe(subject, onNotification),
  };
  const onMissed =
    report === null
      ? undefined
      : () => report({ type: "notification_missed", foundBy: "reread", runs: 1 });
  const followers = new Followers({ ...source, onMissed }, clock);

  return {
    followers,
    watches: new Watches(source, clock),
    async readPage(runId, options) {
      const ownerId = ownerIdOf(options);
      const { at, tail, limit = PAGE_LIMIT, maxBytes = PAGE_BYTES } = options;
      if (tail !== undefined) checkTail(tail, options.since);
      checkCursor(options.since ?? 0);
      const atMs = checkAt(at, options);
      checkBound("limit", limit, 1);
      checkBound("maxBytes", maxBytes, 1);
      const { since = tail === undefined ? 0 : await startOf(runId, ownerId, tail) } = options;
      const query = { runId, ownerId, since, limit, maxBytes };
      const result = await read(atMs === null ? query : { ...query, withTime: true });
      if (result === null) throw runNotFound();
      if (atMs !== null) checkHistory(result, atMs);
      const page = { ...planPage(result, clampCursor(since, result.run)), run: result.run };
      return tail === undefined ? page : { ...page, since };
    },
    async tailStart(runId, tail, options) {
      return startOf(runId, ownerIdOf(options), checkTail(tail, undefined));
    },
    async waitFor(runId, options) {
      for await (const _slice of tailSlices(followers, runId, options)) return;
    },
    idle: () => queue.idle(),
  };
}

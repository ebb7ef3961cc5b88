import {
  type ChangedRuns,
  eventBytes,
  type RunRecord,
  type StoredEvent,
  utf8Bytes,
} from "@tm/run-events-core/store";
import { encodeChanges } from "@tm/run-events-core/wire";
import { jsonReply, type Reply, stopIfGone } from "../exchange/exchange.ts";
import {
  parseChangedSince,
  parseLast,
  parseLimit,
  parseTopic,
  parseWaitMs,
} from "../request/query.ts";
import { LIST_BYTES, LIST_LIMIT, RUNS_A_READ } from "./run-list.ts";
import type { Call } from "./route.ts";

/** What is asked for. */
interface Asked {
  readonly topic: string | null;
  readonly since: string | null;
  readonly limit: number;
  /** Whether the last event of each run is read. */
  readonly withLast: boolean;
}

/** What is answered. */
interface Answered extends Omit<ChangedRuns, "live"> {
  /** The last event of each run that has one, by the run's id. Empty unless it was asked for. */
  readonly last: ReadonlyMap<string, StoredEvent>;
}

/**
 * Answers the caller's runs that changed since a cursor, and can wait for a change.
 * @see clause W48 in `WIRE.md`
 */
export async function answerChanged(call: Call): Promise<Reply> {
  const { context, exchange, ownerId, holding } = call;
  const since = parseChangedSince(exchange.query);
  const topic = parseTopic(exchange.query);
  const limit = parseLimit(exchange.query, LIST_LIMIT);
  const waitMs = parseWaitMs(exchange.query);
  const withLast = parseLast(exchange.query);
  holding.checkAnswers();
  await call.takeTurn("short");
  let changed = await readChanged(call, { topic, since, limit, withLast });
  if (waitMs > 0 && !hasNews(changed)) {
    const { cursor } = changed;
    const wait = { ownerId, waitMs, signal: exchange.signal };
    changed =
      (await context.waits.hold(wait, (signal) =>
        context.log.waitForChanges({
          ownerId,
          topic,
          since: cursor,
          limit,
          last: withLast,
          signal,
        }),
      )) ?? changed;
    holding.holdAnswer(bytesOf(changed));
  }
  return jsonReply(200, encodeChanges(changed, withLast ? changed.last : null), context.retention);
}

function hasNews({ isReset, runs, gone }: Answered): boolean {
  return isReset || runs.length + gone.length > 0;
}

/** The bytes of the metadata and of the last events. */
function bytesOf({ runs, last }: Pick<Answered, "runs" | "last">): number {
  const metadata = runs.reduce((sum, run) => sum + utf8Bytes(run.metadata), 0);
  return [...last.values()].reduce((sum, event) => sum + lastBytes(event), metadata);
}

function lastBytes({ payload }: StoredEvent): number {
  return eventBytes(utf8Bytes(payload));
}

/** Reads pages of the store until `limit` runs, or 4 MiB of their metadata and last events. The last page of the store is whole. */
async function readChanged(
  { context, exchange, ownerId, holding }: Call,
  { topic, since, limit, withLast }: Asked,
): Promise<Answered> {
  const runs = new Map<string, RunRecord>();
  const gone = new Set<string>();
  const last = new Map<string, StoredEvent>();
  let isReset = false;
  let bytes = 0;
  for (let from = since; ;) {
    const left = limit - runs.size - gone.size;
    // The store bounds the metadata of a page, and not the last events.
    const most = withLast ? Math.min(RUNS_A_READ, left) : left;
    const { signal } = exchange;
    const page = await context.log.listChanged({
      ownerId,
      topic,
      since: from,
      limit: most,
      signal,
    });
    const read = withLast ? await context.log.readLast(page.runs) : [];
    stopIfGone(exchange);
    if (page.isReset) {
      isReset = true;
      // The reader forgets what it had: also what the pages before had.
      for (const part of [runs, gone, last]) part.clear();
      bytes = 0;
    }
    for (const run of page.runs) {
      gone.delete(run.runId);
      runs.set(run.runId, run);
      last.delete(run.runId);
      bytes += utf8Bytes(run.metadata);
    }
    for (const [runId, event] of read) {
      last.set(runId, event);
      bytes += lastBytes(event);
    }
    // A run may have changed twice since the first page.
    for (const runId of page.gone) {
      runs.delete(runId);
      last.delete(runId);
      gone.add(runId);
    }
    holding.holdAnswer(bytes);
    const isFull = runs.size + gone.size >= limit || bytes > LIST_BYTES;
    if (!page.hasMore || isFull) {
      const { cursor, hasMore } = page;
      return { isReset, runs: [...runs.values()], gone: [...gone], cursor, hasMore, last };
    }
    from = page.cursor;
  }
}

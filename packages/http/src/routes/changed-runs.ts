import { type ChangedRuns, type RunRecord, utf8Bytes } from "@tm/run-events-core/store";
import { encodeChanges } from "@tm/run-events-core/wire";
import { jsonReply, type Reply, stopIfGone } from "../exchange/exchange.ts";
import { parseChangedSince, parseLimit, parseTopic, parseWaitMs } from "../request/query.ts";
import { LIST_BYTES, LIST_LIMIT, RUNS_A_READ } from "./run-list.ts";
import type { Call } from "./route.ts";

/** What is asked for. */
interface Asked {
  readonly topic: string | null;
  readonly since: string | null;
  readonly limit: number;
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
  holding.checkAnswers();
  let changed = await readChanged(call, { topic, since, limit });
  if (waitMs > 0 && !hasNews(changed)) {
    const { cursor } = changed;
    const wait = { ownerId, waitMs, signal: exchange.signal };
    changed =
      (await context.waits.hold(wait, (signal) =>
        context.log.waitForChanges({ ownerId, topic, since: cursor, signal }),
      )) ?? changed;
  }
  return jsonReply(200, encodeChanges(changed), context.retention);
}

function hasNews({ isReset, runs, gone }: ChangedRuns): boolean {
  return isReset || runs.length + gone.length > 0;
}

/** Reads pages of the store until `limit` runs, or 4 MiB of their metadata. The last page of the store is whole. */
async function readChanged(
  { context, exchange, ownerId, holding }: Call,
  { topic, since, limit }: Asked,
): Promise<ChangedRuns> {
  const runs = new Map<string, RunRecord>();
  const gone = new Set<string>();
  let isReset = false;
  let bytes = 0;
  for (let from = since; ;) {
    const most = Math.min(RUNS_A_READ, limit - runs.size - gone.size);
    const page = await context.log.listChanged({ ownerId, topic, since: from, limit: most });
    stopIfGone(exchange);
    isReset ||= page.isReset;
    for (const run of page.runs) {
      gone.delete(run.runId);
      runs.set(run.runId, run);
      bytes += utf8Bytes(run.metadata);
    }
    // A run may have changed twice since the first page.
    for (const runId of page.gone) {
      runs.delete(runId);
      gone.add(runId);
    }
    holding.holdAnswer(bytes);
    const isFull = runs.size + gone.size >= limit || bytes > LIST_BYTES;
    if (!page.hasMore || isFull) {
      const { cursor, hasMore } = page;
      return { isReset, runs: [...runs.values()], gone: [...gone], cursor, hasMore };
    }
    from = page.cursor;
  }
}

import { eventBytes, type RunRecord, type StoredEvent, utf8Bytes } from "@tm/run-events-core/store";
import { type RunLog, answers } from "@tm/run-events-core/wire";
import { jsonReply, type Reply, stopIfGone } from "../exchange/exchange.ts";
import { WAIT } from "../contract/lists.ts";
import type { Call } from "./route.ts";
import type { FeedRequest } from "../contract/lists.ts";

/** From this size on, in bytes, an answer takes a turn, since its encoding blocks the event loop. */
const LARGE_BYTES = 65_536;
/** About the bytes of a run besides its metadata. */
const RUN_BYTES = 512;

/**
 * Answers the caller's list, or that it still has the version that the caller has, and can wait for a change.
 * @see clause W48 in `WIRE.md`
 */
export async function answerFeed(call: Call, feed: FeedRequest): Promise<Reply> {
  const { context, exchange, ownerId, holding } = call;
  const waitMs = WAIT.parse(exchange);
  holding.checkAnswers();
  const { topic, have, withLast: last } = feed;
  const asked = { ownerId, topic, last };
  const { signal } = exchange;
  let list = await context.log.readList({ ...asked, have, signal });
  if (list.isSame && waitMs > 0) {
    const wait = { ownerId, waitMs, signal };
    const { version } = list;
    const read = (until: AbortSignal): Promise<Awaited<ReturnType<RunLog["readList"]>>> =>
      context.log.readList({ ...asked, have: version, waits: true, signal: until });
    list = (await context.waits.hold(wait, read)) ?? list;
  }
  stopIfGone(exchange);
  if (!list.isSame) {
    const bytes = bytesOf(list.runs, list.last);
    holding.holdAnswer(bytes);
    if (bytes >= LARGE_BYTES) await call.takeTurn("large");
  }
  return jsonReply(200, answers.encodeListedRuns(list, last), context.retention);
}

/** About the bytes of the answer. */
function bytesOf(runs: readonly RunRecord[], last: ReadonlyMap<string, StoredEvent>): number {
  const runBytes = runs.reduce((sum, run) => sum + RUN_BYTES + utf8Bytes(run.metadata), 0);
  return [...last.values()].reduce(
    (sum, { payload }) => sum + eventBytes(utf8Bytes(payload)),
    runBytes,
  );
}

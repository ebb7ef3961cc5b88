import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import { RunEventsError, storeClosed } from "../rules/errors.ts";
import { runAsAsked } from "../rules/owner.ts";
import { eventBytes } from "../rules/page.ts";
import type { RunEventStore } from "../store/store.ts";
import { Batcher, type BatcherOptions } from "./batcher.ts";
import { observeGroups } from "./observe.ts";
import type { SendTimes } from "./send-again.ts";
import { sendAppends } from "./send-appends.ts";

/** The most weight of one group of appends, in bytes. */
const APPENDS_BYTES = 8_388_608;
/** The same while several owners append: each waits while the store takes another's group. */
const SHARED_BYTES = 131_072;
const GROUP_ITEMS = 1_024;
/** How much may wait for the store before appends are refused, in bytes: memory is not a queue. */
const QUEUE_BYTES = 67_108_864;
/** How much of it one owner may use. The program's own appends, without an owner, may use all of it. */
const OWNER_BYTES = 16_777_216;
const RETRY_MS = 1_000;

/**
 * Makes the queue of appends from one process to its store, in groups that their owners share.
 * @param times with `isClosing`: whether new appends are refused
 * @throws TypeError unless the store's `appendsAtOnce` is 1 or more
 */
export function createAppendQueue(
  store: Pick<RunEventStore, "append" | "capabilities">,
  times: SendTimes,
): Batcher<AppendRequest, AppendOutcome> {
  const { clock, isClosing, report } = times;
  const { appendsAtOnce } = store.capabilities;
  if (!Number.isSafeInteger(appendsAtOnce) || appendsAtOnce < 1) {
    throw new TypeError(
      `Expected \`capabilities.appendsAtOnce\` to be an integer of 1 or more, got ${appendsAtOnce}. Correct the store's adapter.`,
    );
  }
  const send: BatcherOptions<AppendRequest, AppendOutcome>["send"] = (group, { settle }) =>
    sendAppends(store, group, times, settle);
  const queue: Batcher<AppendRequest, AppendOutcome> = new Batcher({
    send: report === null ? send : observeGroups(send, () => queue.queued, clock, report),
    keyOf: runAsAsked,
    ownerOf: ({ ownerId }) => ownerId,
    clock,
    weigh: ({ events }) =>
      events.reduce((bytes, event) => bytes + eventBytes(event.payload.length), 0),
    maxWeight: APPENDS_BYTES,
    sharedWeight: SHARED_BYTES,
    groupsAtOnce: appendsAtOnce,
    maxItems: GROUP_ITEMS,
    admit(queuedBytes, owner, ownersBytes) {
      if (isClosing()) throw storeClosed();
      if (owner !== null && ownersBytes > OWNER_BYTES) {
        throw new RunEventsError(
          "too_many_requests",
          `Expected at most ${OWNER_BYTES} bytes of appends of one owner to wait for the store, got ${ownersBytes}. Wait ${RETRY_MS} ms, and append less at once.`,
          { details: { retryAfterMs: RETRY_MS } },
        );
      }
      if (queuedBytes > QUEUE_BYTES) {
        throw new RunEventsError(
          "store_unavailable",
          `Expected at most ${QUEUE_BYTES} bytes of appends to wait for the store, got ${queuedBytes}. The store is too slow for so many: append less at once.`,
        );
      }
    },
  });
  return queue;
}

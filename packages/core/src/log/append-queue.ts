import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import { RunEventsError, storeClosed } from "../rules/errors.ts";
import { runAsAsked } from "../rules/owner.ts";
import { eventBytes } from "../rules/page.ts";
import type { RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { Batcher } from "./batcher.ts";
import { sendAppends } from "./send-appends.ts";

/** What one group of appends may weigh on its way to the store, in bytes. */
const APPENDS_BYTES = 8_388_608;
/** The same while several owners append: each waits while the store takes another's group. */
const SHARED_BYTES = 131_072;
const GROUP_ITEMS = 1_024;
/** What may wait for the store, in bytes, before appends are refused: memory is not a queue. */
const QUEUE_BYTES = 67_108_864;
/** How much of it one owner may use. The program's own appends, without an owner, may use all of it. */
const OWNER_BYTES = 16_777_216;
const RETRY_MS = 1_000;

/**
 * The appends of one process on their way to its store, in groups that their owners share.
 * @param isClosing whether no more are taken
 * @throws TypeError for a store that takes no append at once
 */
export function createAppendQueue(
  store: RunEventStore,
  clock: Clock,
  isClosing: () => boolean,
): Batcher<AppendRequest, AppendOutcome> {
  const { appendsAtOnce } = store.capabilities;
  if (!Number.isSafeInteger(appendsAtOnce) || appendsAtOnce < 1) {
    throw new TypeError(
      `Expected \`capabilities.appendsAtOnce\` to be 1 or more, got ${appendsAtOnce}.`,
    );
  }
  return new Batcher<AppendRequest, AppendOutcome>({
    send: (group, settle) => sendAppends(store, group, { clock, isClosing }, settle),
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
          "Too many appends of this owner are waiting for the store.",
          { details: { retryAfterMs: RETRY_MS } },
        );
      }
      if (queuedBytes > QUEUE_BYTES) {
        throw new RunEventsError(
          "store_unavailable",
          "Too many appends are waiting for the store.",
        );
      }
    },
  });
}

import { type Batcher, createBatcher } from "./batcher.ts";
import type { Clock } from "./clock.ts";
import { RunEventsError, storeClosed } from "./errors.ts";
import { eventBytes } from "./page.ts";
import { sendAppends } from "./send-appends.ts";
import type { AppendOutcome, AppendRequest, RunEventStore } from "./store.ts";

/** What one group of appends may weigh on its way to the store, in bytes. */
const APPENDS_BYTES = 8_388_608;
const GROUP_ITEMS = 1_024;
/** What may wait for the store, in bytes, before appends are refused: memory is not a queue. */
const QUEUE_BYTES = 67_108_864;

/**
 * The appends of one process on their way to its store, in groups.
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
  return createBatcher<AppendRequest, AppendOutcome>({
    send: (group, settle) => sendAppends(store, group, { clock, isClosing }, settle),
    keyOf: ({ runId }) => runId,
    clock,
    weigh: ({ events }) =>
      events.reduce((bytes, event) => bytes + eventBytes(event.payload.length), 0),
    maxWeight: APPENDS_BYTES,
    groupsAtOnce: appendsAtOnce,
    maxItems: GROUP_ITEMS,
    admit(queuedBytes) {
      if (isClosing()) throw storeClosed();
      if (queuedBytes > QUEUE_BYTES) {
        throw new RunEventsError(
          "store_unavailable",
          "Too many appends are waiting for the store.",
        );
      }
    },
  });
}

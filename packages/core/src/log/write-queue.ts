import { RunEventsError, storeClosed } from "../rules/errors.ts";
import { EVENT_ENVELOPE_BYTES } from "../rules/page.ts";
import type { RunEventStore, StoreCapabilities } from "../store/store.ts";
import { Batcher } from "./batcher.ts";
import { createCommitIds } from "./own-keys.ts";
import type { SendTimes } from "./send-again.ts";
import { sendWrites } from "./send-writes.ts";
import type { Write } from "./write.ts";

/** The most weight of one group of writes, in bytes. */
const GROUP_BYTES = 8_388_608;
/** The same while several owners write: each waits while the store takes another's group. */
const SHARED_BYTES = 131_072;
const GROUP_ITEMS = 1_024;
/** The most bytes that may wait for the store before writes with payloads or metadata are refused: memory is not a queue. */
const QUEUE_BYTES = 67_108_864;
/** The share of it that one owner may use. */
const OWNER_BYTES = 16_777_216;
const RETRY_MS = 1_000;

/** All writes of one process on their way to its store. Of a run, one group is under way at a time, and what waits becomes one commit. */
export interface WriteQueue {
  /** Resolves with the write's answer. Writes to one run are made in the order of their calls. */
  add<Answer>(write: Write<Answer>): Promise<Answer>;
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>;
}

/**
 * Makes the queue of writes to a store.
 * @param times with `isClosing`: whether new writes are refused
 * @throws TypeError unless the capabilities that bound a call are 1 or more
 */
export function createWriteQueue(
  store: Pick<RunEventStore, "append" | "change" | "capabilities">,
  times: SendTimes,
): WriteQueue {
  const { clock, isClosing, report } = times;
  const { appendsAtOnce, mostBytes, mostEvents } = checkCapabilities(store.capabilities);
  const newId = createCommitIds();
  const queue: Batcher<Write, unknown> = new Batcher<Write, unknown>({
    async send(group, pass) {
      const sent = (): Promise<void> => sendWrites(store, group, pass, times, newId);
      const appends = group.filter(({ item }) => item.call === "append").length;
      if (report === null || appends === 0) return sent();
      const fromMs = clock.now();
      const { queued } = queue;
      await sent().finally(() =>
        report({ type: "append_group", appends, queued, ms: clock.now() - fromMs }),
      );
    },
    clock,
    weigh: ({ weight }) => weight,
    isUrgent: ({ plain }) => plain === null || plain.request.events.length === 0,
    maxWeight: Math.min(GROUP_BYTES, mostBytes, mostEvents * EVENT_ENVELOPE_BYTES),
    sharedWeight: SHARED_BYTES,
    groupsAtOnce: appendsAtOnce,
    maxItems: GROUP_ITEMS,
    admit(queuedBytes, ownersBytes, { weight }) {
      if (isClosing()) throw storeClosed();
      // A renewal must not be lost because of the appends that it waits for.
      if (weight <= EVENT_ENVELOPE_BYTES) return;
      if (ownersBytes > OWNER_BYTES) {
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
  return {
    // A write is answered by its own rule, or by its own `answerOf`.
    add: <Answer>(write: Write<Answer>) => queue.add(write as Write) as Promise<Answer>,
    idle: () => queue.idle(),
  };
}

function checkCapabilities(capabilities: StoreCapabilities): StoreCapabilities {
  for (const name of ["appendsAtOnce", "mostBytes", "mostEvents"] as const) {
    const value = capabilities[name];
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new TypeError(
      `Expected \`capabilities.${name}\` to be an integer of 1 or more, got ${value}. Correct the store's adapter.`,
    );
  }
  return capabilities;
}

import type { SealedDraft } from "../rules/lifecycle.ts";
import { MAX_PAYLOAD_BYTES } from "../rules/event.ts";
import type { Clock } from "../time/clock.ts";
import { createEmitQueue, type EmitQueue, type QueueOptions } from "./emit-queue.ts";
import { mergeEvents } from "./merge-events.ts";
import { sendInParts } from "./send-parts.ts";

/** How a queue gathers events. */
export interface GatherOptions extends QueueOptions {
  /**
   * How long the first event of an append waits for others, in milliseconds: 0 for not at all. A request that follows ends the wait, and so
   * does a full queue.
   */
  readonly gatherMs: number;
  readonly clock: Clock;
  /**
   * The most bytes of a payload. A merged one takes no more, and never more than 262,144. A server that takes fewer gets the events in
   * parts.
   * @defaultValue 262,144
   */
  readonly maxPayloadBytes?: number | undefined;
}

/**
 * Makes the emit queue of all writers. Events that come one by one are sent together, neighbours of a type in `merges` as one event.
 * A batch that is refused as too large is sent in parts, since a server's bounds are not known. If a merge fails, the events that waited
 * are sent as they are, and then the queue fails.
 *
 * | it is     | until                                                         | then      |
 * | --------- | ------------------------------------------------------------- | --------- |
 * | at rest   | an event is emitted                                           | gathering |
 * | gathering | `gatherMs` have passed, `ask` is called, or the queue is full | gathered  |
 * | gathered  | all earlier requests are over: they are sent                  | at rest   |
 *
 * @param send appends emitted events
 * @param onFailure called once, with why the queue failed
 */
export function createGatheringQueue(
  send: (events: readonly SealedDraft[]) => Promise<unknown>,
  onFailure: (error: unknown) => void,
  options: GatherOptions,
): EmitQueue {
  const { gatherMs, clock, merges = {}, maxPayloadBytes = MAX_PAYLOAD_BYTES } = options;
  // A part is merged by itself, so that one of a single event is never too large by the merge.
  const mostBytes = Math.min(maxPayloadBytes, MAX_PAYLOAD_BYTES);
  const sendAll = sendInParts((events) => send(mergeIfAble(events)));
  let merging = merges;
  let throwIfMergeFailed = (): void => {};
  // An emit that waits for room does not wait for others: they may wait for it.
  const queue = createEmitQueue(sendGathered, onFailure, options, () => stopGathering());
  let state: "at rest" | "gathering" | "gathered" = "at rest";
  let stopGathering = (): void => {};

  async function sendGathered(events: readonly SealedDraft[]): Promise<void> {
    // An earlier batch that was full changes nothing.
    if (state === "gathered") state = "at rest";
    await sendAll(events);
    throwIfMergeFailed();
  }

  /** A merge function that fails is a mistake of the program, but the events are good, so they are sent unmerged. */
  function mergeIfAble(events: readonly SealedDraft[]): readonly SealedDraft[] {
    try {
      return mergeEvents(events, merging, mostBytes);
    } catch (error) {
      merging = {};
      throwIfMergeFailed = () => {
        throw error;
      };
      return events;
    }
  }

  /** Holds back events that are emitted from now on. */
  function gather(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopTimer = clock.every(gatherMs, () => stopGathering());
    state = "gathering";
    stopGathering = () => {
      stopTimer();
      if (state === "gathering") state = "gathered";
      resolve();
    };
    queue.ask(() => promise).catch(() => {});
  }

  return {
    ...queue,
    emit(event) {
      if (gatherMs > 0 && state === "at rest") gather();
      return queue.emit(event);
    },
    ask(request, evenIfFailed) {
      stopGathering();
      return queue.ask(request, evenIfFailed);
    },
  };
}

import type { SealedDraft } from "../rules/lifecycle.ts";
import type { Clock } from "../time/clock.ts";
import { createEmitQueue, type EmitQueue } from "./emit-queue.ts";
import { sendInParts } from "./send-parts.ts";

/** How a queue gathers events. */
export interface GatherOptions {
  /** The most events of one append, until a server takes fewer. */
  readonly maxEvents: number;
  /** How long the first event of an append waits for others, in milliseconds. A request that follows ends the wait. */
  readonly gatherMs: number;
  readonly clock: Clock;
  /**
   * How much may wait before `emit` has to wait for room, in UTF-16 units.
   * @defaultValue 1 MiB
   */
  readonly roomBytes?: number;
}

/**
 * Makes the emit queue for a server whose bounds are not known. Events that come one by one are sent together, and a batch that is
 * refused as too large is sent in parts.
 *
 * | it is     | until                                        | then      |
 * | --------- | -------------------------------------------- | --------- |
 * | at rest   | an event is emitted                          | gathering |
 * | gathering | `gatherMs` have passed, or `ask` is called   | gathered  |
 * | gathered  | all earlier requests are over: they are sent | at rest   |
 * @param send appends emitted events
 * @param onFailure called once, with why the queue failed
 */
export function createGatheringQueue(
  send: (events: readonly SealedDraft[]) => Promise<unknown>,
  onFailure: (error: unknown) => void,
  { maxEvents, gatherMs, clock, roomBytes }: GatherOptions,
): EmitQueue {
  const sendAll = sendInParts(send);
  const queue = createEmitQueue(sendGathered, maxEvents, onFailure, roomBytes);
  let state: "at rest" | "gathering" | "gathered" = "at rest";
  let stopGathering = (): void => {};

  async function sendGathered(events: readonly SealedDraft[]): Promise<void> {
    // An earlier batch that was full changes nothing.
    if (state === "gathered") state = "at rest";
    await sendAll(events);
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
      if (state === "at rest") gather();
      return queue.emit(event);
    },
    ask(request, evenIfFailed) {
      stopGathering();
      return queue.ask(request, evenIfFailed);
    },
  };
}

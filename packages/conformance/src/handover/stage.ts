import type fc from "fast-check";
import { nextTurn } from "../next-turn.ts";
import { within } from "../within.ts";

/** Holds back what calls answer, and other things that may happen, until the scheduler picks them. */
export interface Stage {
  /** Makes a call and keeps its answer back until it is picked. @param label its name in the schedule of a failure */
  release<T>(call: () => Promise<T>, label: string): Promise<T>;
  /** Resolves when it is picked. */
  turn(label: string): Promise<void>;
  /** Whether there is something to pick. */
  hasTurns(): boolean;
  /** Lets the scheduler pick one. */
  pick(): Promise<void>;
  /**
   * Waits until no call is under way and nothing more comes by itself.
   * @throws Error for a call without an answer
   */
  settle(): Promise<void>;
  /** Resolves when something new is to be picked, or a call has its answer. */
  arrival(): Promise<void>;
  /** From now on no call waits until it is picked. */
  giveUp(): void;
  /** Lets everything go, from now on at once. */
  open(): Promise<void>;
}

/** A call may take `deadlineMs`, and `patienceMs` longer. */
export function createStage(
  scheduler: fc.Scheduler,
  deadlineMs: number,
  patienceMs: number | undefined,
): Stage {
  const underWay: string[] = [];
  let isOpen = false;
  let isGivenUp = false;
  let onArrival: (() => void)[] = [];

  function arrive(): void {
    const waiting = onArrival;
    onArrival = [];
    for (const resolve of waiting) resolve();
  }

  function turn(label: string): Promise<void> {
    if (isOpen) return Promise.resolve();
    const picked = scheduler.schedule(Promise.resolve(), label);
    arrive();
    return picked;
  }

  function arrival(): Promise<void> {
    if (isGivenUp) return Promise.resolve();
    return new Promise((resolve) => onArrival.push(resolve));
  }

  return {
    async release(call, label) {
      underWay.push(label);
      const [outcome] = await Promise.allSettled([call()]);
      underWay.splice(underWay.indexOf(label), 1);
      arrive();
      await turn(outcome.status === "fulfilled" ? label : `${label} fails`);
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
    turn,
    hasTurns: () => scheduler.count() > 0,
    pick: () => scheduler.waitNext(1),
    async settle() {
      for (;;) {
        // Twice: core gathers its writes to the end of a turn.
        await nextTurn();
        await nextTurn();
        if (underWay.length === 0 || isGivenUp) return;
        await within(deadlineMs, arrival(), `an answer of ${underWay.join(", ")}`, patienceMs);
      }
    },
    arrival,
    giveUp() {
      isGivenUp = true;
      arrive();
    },
    async open() {
      isOpen = true;
      while (scheduler.count() > 0) await scheduler.waitNext(1);
    },
  };
}

import type { RunStatus } from "./event.ts";
import { changeBy } from "./lifecycle.ts";

/**
 * An event that may have changed whether its run waits, and the run's status after it. Only such events keep the status. So the status
 * at any sequence follows from the last of them at or before it, as the phase does from the last event that started one.
 * @see clauses S9 and S27 in `STORE.md`
 */
export interface StatusMark {
  readonly sequence: number;
  readonly runStatus: RunStatus;
}

/**
 * The status that an event keeps; `null` for one that keeps none.
 * @param after the run's status after the event's batch
 * @see clause S27 in `STORE.md`
 */
export function markOf(eventType: string, after: RunStatus): RunStatus | null {
  const change = changeBy(eventType);
  if (change === "waiting") return change;
  return change === "answered" ? after : null;
}

/**
 * A live run's status at a sequence.
 * @param mark the last one at or before the sequence, `null` without one
 * @see clauses S9 and S27 in `STORE.md`
 */
export function statusAt(sequence: number, mark: StatusMark | null): RunStatus {
  if (sequence === 0) return "queued";
  if (mark === null) return "running";
  // An input leaves a queued run queued; the event after it, without a mark, has started the run.
  return mark.runStatus === "queued" && mark.sequence < sequence ? "running" : mark.runStatus;
}

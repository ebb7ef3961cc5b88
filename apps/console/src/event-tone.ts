import { isTerminal } from "@tm/run-events-core";
import { changeBy } from "@tm/run-events-core/wire";

/** The look of an event's row. */
export type EventTone = "plain" | "phase" | "warning" | "completed" | "failed" | "cancelled";

const WARNING = /(^|_)(ERR|ERROR|STDERR|FAILED|WARN|WARNING|RETRY|TIMEOUT)(_|$)/;

/** The tone of an event, by its type alone. */
export function eventTone(eventType: string): EventTone {
  const status = changeBy(eventType);
  if (isTerminal(status)) return status;
  if (eventType === "PHASE_STARTED") return "phase";
  return WARNING.test(eventType) ? "warning" : "plain";
}

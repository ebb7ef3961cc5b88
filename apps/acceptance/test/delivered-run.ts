import type { RunEvent, RunStatus } from "@tm/run-events-core";

/** A message of the live stream, as its client hands it over. */
export interface Message {
  readonly type: "connected" | "run_event" | "status" | "run_finished" | "error";
  readonly event?: RunEvent;
  readonly runStatus?: RunStatus;
  readonly code?: string;
}

/** The part of a run that a client has received. */
export interface DeliveredRun {
  /** In the order of delivery, repeats and all. */
  readonly events: readonly RunEvent[];
  /** The count of each other message, errors by their code. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Reads what a client has delivered. Throws if a message is not JSON. */
export function readDelivered(delivered: readonly string[]): DeliveredRun {
  const messages = delivered.map((data) => JSON.parse(data) as Message);
  const counts: Record<string, number> = {};
  for (const { type, code } of messages) {
    const name = code ?? type;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return {
    events: messages.flatMap(({ event }) => (event === undefined ? [] : [event])),
    counts,
  };
}

import type { RunEvent } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";
import type { Place } from "./tab-messages.ts";

/** A run that is followed for tabs. */
export interface RunRelay {
  readonly runId: string;
  readonly stop: () => void;
  connection: ConnectionState;
  /** The time of the event at its cursor. */
  at: string | undefined;
  /** The events that the other tabs have not got yet. */
  unsent: RunEvent[];
  /** The time of the event before `unsent`. */
  sentAt: string | undefined;
  isDue: boolean;
  /** Whether an event does not fit into messages. */
  isApart: boolean;
}

/** The place before the events that the other tabs have not got yet. */
export function sentPlace({ connection, at, unsent, sentAt }: RunRelay): Place {
  return { since: connection.cursor - unsent.length, at: unsent.length === 0 ? at : sentAt };
}

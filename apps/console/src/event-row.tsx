import type { RunEvent } from "@tm/run-events-core";
import { memo, type ReactNode } from "react";
import { encodeSummary } from "./encode-summary.ts";
import { EventPayload } from "./event-payload.tsx";
import { eventTone } from "./event-tone.ts";
import { formatOffset } from "./format-time.ts";

/** Props of a row. The callbacks stay the same functions, so that a row is drawn again only when something in it changes. */
export interface EventRowProps {
  readonly event: RunEvent;
  /** Its place among the rows, from 0. */
  readonly row: number;
  /** The row's place, in CSS pixels from the top of the list. */
  readonly top: number;
  /** The time at which the run began, in milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly isOpen: boolean;
  /** Whether this is the row from which keys move: the only one at which Tab stops. */
  readonly isActive: boolean;
  readonly onToggle: (sequence: number) => void;
  readonly onHeight: (sequence: number, height: number) => void;
}

/** The id of an event's button. */
export function rowId(sequence: number): string {
  return `event-${sequence}`;
}

/** One event: a line, and below it the payload if it is unfolded. */
export const EventRow: (props: EventRowProps) => ReactNode = memo(function EventRow({
  event,
  row,
  top,
  startedAtMs,
  isOpen,
  isActive,
  onToggle,
  onHeight,
}: EventRowProps): ReactNode {
  const { sequence, eventType, payload, createdAt } = event;
  return (
    <li
      className={`row ${eventTone(eventType)}${isOpen ? " is-open" : ""}`}
      // The number of events changes too often to announce it.
      aria-posinset={row + 1}
      aria-setsize={-1}
      style={{ top }}
    >
      <button
        type="button"
        id={rowId(sequence)}
        className="line"
        tabIndex={isActive ? 0 : -1}
        aria-expanded={isOpen}
        onClick={() => onToggle(sequence)}
      >
        <span className="sequence">{sequence}</span>
        <span className="at">{formatOffset(Date.parse(createdAt) - startedAtMs)}</span>
        <span className="type">{eventType}</span>
        <span className="summary">{encodeSummary(payload)}</span>
      </button>
      {isOpen && <EventPayload event={event} onHeight={onHeight} />}
    </li>
  );
});

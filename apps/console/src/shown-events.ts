import type { RunEvent } from "@tm/run-events-core";

/** A filter of events. */
export interface EventFilter {
  /** A part of the type, in any case; empty for every type. */
  readonly text: string;
  /** The types that were chosen; empty for every type. */
  readonly types: ReadonlySet<string>;
}

/** The filter that shows every event. */
export const NO_FILTER: EventFilter = { text: "", types: new Set() };

/** The events that are shown, as rows from 0. */
export interface ShownEvents {
  readonly count: number;
  readonly at: (row: number) => RunEvent | undefined;
  /** The row of the first event from this sequence on; `count` without one. */
  readonly rowOf: (sequence: number) => number;
}

/** Whether a filter may leave events out. */
export function isFiltering({ text, types }: EventFilter): boolean {
  return text !== "" || types.size > 0;
}

/** Whether events of a type are shown. */
function isShown(filter: EventFilter, eventType: string): boolean {
  if (filter.types.size > 0 && !filter.types.has(eventType)) return false;
  return hasText(filter, eventType);
}

/** Whether a type contains the filter's text. */
export function hasText({ text }: EventFilter, eventType: string): boolean {
  return eventType.includes(text.toUpperCase());
}

/**
 * Creates a function that picks the events that a filter shows, as they come, each once.
 * @returns a function of all events so far, of the same run each time
 */
export function createEventPicker(
  filter: EventFilter,
): (events: readonly RunEvent[]) => ShownEvents {
  const picked: RunEvent[] = [];
  let taken = 0;
  return (events) => {
    // Without a filter, an event's row follows from its sequence.
    if (!isFiltering(filter)) return showAll(events);
    for (const event of events.slice(taken)) {
      if (isShown(filter, event.eventType)) picked.push(event);
    }
    taken = Math.max(taken, events.length);
    return {
      count: picked.length,
      at: (row) => picked[row],
      rowOf: (sequence) => rowIn(picked, sequence),
    };
  };
}

function showAll(events: readonly RunEvent[]): ShownEvents {
  return {
    count: events.length,
    at: (row) => events[row],
    rowOf: (sequence) => Math.max(0, Math.min(events.length, sequence - 1)),
  };
}

function rowIn(picked: readonly RunEvent[], sequence: number): number {
  let from = 0;
  let to = picked.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((picked[middle]?.sequence ?? sequence) < sequence) from = middle + 1;
    else to = middle;
  }
  return from;
}

import type { RunEvent } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";

/** A run as a page shows it: its events so far, in order, and the connection's state. A view never changes; the next one replaces it. */
export interface RunView extends ConnectionState {
  readonly events: readonly RunEvent[];
}

/** The time between two views, in milliseconds. So a replay of thousands of events makes only a few dozen views. */
const FRAME_MS = 16;

const EMPTY: RunView = {
  events: [],
  state: "connecting",
  runStatus: null,
  currentPhase: null,
  cursor: 0,
  error: null,
};

/** The view before the first answer, and where a server renders. */
export function emptyView(): RunView {
  return EMPTY;
}

/** Holds the newest view of a run. */
export interface RunCell {
  readonly view: () => RunView;
  /**
   * Calls the listener after each change of the view.
   * @returns a function that stops the calls
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** Adds the events that continue the sequence. Others are ignored. */
  readonly add: (events: readonly RunEvent[]) => void;
  readonly setConnection: (connection: ConnectionState) => void;
  /** All events so far, even if they are not in the view yet. The array grows. */
  readonly events: readonly RunEvent[];
  /** The connection's state after all events so far. */
  readonly connection: () => ConnectionState;
}

/** Creates a cell without events. */
export function createRunCell(): RunCell {
  const listeners = new Set<() => void>();
  const all: RunEvent[] = [];
  let view = emptyView();
  let { events: _, ...connection }: ConnectionState & Partial<RunView> = view;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function show(): void {
    timer = undefined;
    const events = all.length === view.events.length ? view.events : [...all];
    view = { ...connection, events, cursor: all.length };
    for (const listener of listeners) listener();
  }

  function showSoon(): void {
    timer ??= setTimeout(show, FRAME_MS);
  }

  return {
    view: () => view,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    add(events) {
      for (const event of events) if (event.sequence === all.length + 1) all.push(event);
      showSoon();
    },
    setConnection(next) {
      connection = next;
      showSoon();
    },
    events: all,
    connection: () => ({ ...connection, cursor: all.length }),
  };
}

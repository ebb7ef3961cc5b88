import type { RunEvent } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";

/** A run as a page shows it: all of its events so far, in order, and where the follower stands. Never changed in place. */
export interface RunView extends ConnectionState {
  readonly events: readonly RunEvent[];
}

/** What has come in is shown once a frame, in milliseconds: a replay of thousands of events is a few dozen views. */
const FRAME_MS = 16;

const EMPTY: RunView = {
  events: [],
  state: "connecting",
  runStatus: null,
  currentPhase: null,
  cursor: 0,
  error: null,
};

/** What is shown before anything is known, and where a server renders. */
export function emptyView(): RunView {
  return EMPTY;
}

/** Holds the newest view of a run. */
export interface RunCell {
  readonly view: () => RunView;
  /** Calls back after each change of the view. @returns ends it */
  readonly subscribe: (listener: () => void) => () => void;
  /** Takes events that follow on the last one; others are left out. */
  readonly add: (events: readonly RunEvent[]) => void;
  readonly setConnection: (connection: ConnectionState) => void;
  /** All events that have come in, shown or not. It grows. */
  readonly events: readonly RunEvent[];
  /** As of all events that have come in. */
  readonly connection: () => ConnectionState;
}

/** A cell without events. */
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

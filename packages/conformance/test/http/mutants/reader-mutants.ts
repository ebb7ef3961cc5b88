import type { Follow } from "@tm/run-events-conformance/http";
import type { RunEvent } from "@tm/run-events-core";
import { follow } from "../follow.ts";

/** A reader that breaks one promise. */
export interface ReaderMutant {
  /** What it does wrong. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  readonly follow: Follow;
}

/** Each event passes through `change`: what it returns is handed over instead. */
function mapEvents(change: (event: RunEvent) => readonly RunEvent[]): Follow {
  return async function* (target) {
    for await (const event of follow(target)) yield* change(event);
  };
}

/** Each request passes through `change`, with its number. */
function mapRequests(change: (init: RequestInit, number: number) => RequestInit | null): Follow {
  return (target) => {
    let requests = 0;
    return follow({
      ...target,
      fetch: async (input, init = {}) => {
        const changed = change(init, ++requests);
        return changed === null
          ? new Response(null, { status: 204 })
          : target.fetch(input, changed);
      },
    });
  };
}

/** Readers that lose, repeat, strand or do not leave. */
export const readerMutants: readonly ReaderMutant[] = [
  {
    name: "repeats an event",
    clause: "W22",
    follow: mapEvents((event) => (event.sequence === 2 ? [event, event] : [event])),
  },
  {
    name: "goes on after the end",
    clause: "W22",
    follow: async function* (target) {
      let last: RunEvent | null = null;
      for await (const event of follow(target)) yield (last = event);
      if (last !== null) yield last;
    },
  },
  {
    name: "does not notice the end",
    clause: "W22",
    follow: async function* (target) {
      yield* follow(target);
      await new Promise<never>(() => {});
    },
  },
  {
    name: "reads from the beginning at any cursor",
    clause: "W22",
    follow: (target) => follow({ ...target, since: 0 }),
  },
  {
    name: "yields its events only when the run has ended",
    clause: "W22",
    follow: async function* (target) {
      const held: RunEvent[] = [];
      for await (const event of follow(target)) held.push(event);
      yield* held;
    },
  },
  {
    name: "comes back without its last id",
    clause: "W24",
    follow: mapRequests((init) => {
      const headers = new Headers(init.headers);
      headers.delete("last-event-id");
      return { ...init, headers };
    }),
  },
  {
    name: "does not come back",
    clause: "W24",
    follow: mapRequests((init, number) => (number > 1 ? null : init)),
  },
  {
    name: "takes a refusal for the end",
    clause: "W24",
    follow: async function* (target) {
      try {
        yield* follow(target);
      } catch {
        // The error is lost.
      }
    },
  },
  {
    name: "does not end when it is aborted",
    clause: "W13",
    follow: (target) => follow({ ...target, signal: new AbortController().signal }),
  },
];

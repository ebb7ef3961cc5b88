import type { Follow } from "@tm/run-events-conformance/http";
import type { RunEvent } from "@tm/run-events-core";
import { follow } from "../follow.ts";
import type { Title } from "./server-mutant.ts";

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
export const readerMutants: Readonly<Record<Title, Follow>> = {
  "repeats an event (W22)": mapEvents((event) => (event.sequence === 2 ? [event, event] : [event])),
  "goes on after the end (W22)": async function* (target) {
    let last: RunEvent | null = null;
    for await (const event of follow(target)) yield (last = event);
    if (last !== null) yield last;
  },
  "does not notice the end (W22)": async function* (target) {
    yield* follow(target);
    await new Promise<never>(() => {});
  },
  "reads from the beginning at any cursor (W22)": (target) => follow({ ...target, since: 0 }),
  "yields its events only when the run has ended (W22)": async function* (target) {
    const held: RunEvent[] = [];
    for await (const event of follow(target)) held.push(event);
    yield* held;
  },
  "comes back without its last id (W24)": mapRequests((init) => {
    const headers = new Headers(init.headers);
    headers.delete("last-event-id");
    return { ...init, headers };
  }),
  "does not come back (W24)": mapRequests((init, number) => (number > 1 ? null : init)),
  "takes a refusal for the end (W24)": async function* (target) {
    try {
      yield* follow(target);
    } catch {
      // This mutant hides the error.
    }
  },
  "does not end when it is aborted (W13)": (target) =>
    follow({ ...target, signal: new AbortController().signal }),
};

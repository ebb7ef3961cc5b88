import {
  type ConformanceCase,
  type Follow,
  runReaderConformance,
} from "@tm/run-events-conformance/http";
import type { RunEvent } from "@tm/run-events-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { firstFailure, WAITS } from "./first-failure.ts";
import { follow } from "./follow.ts";
import { memoryServerDoors } from "./memory-server.ts";

/** A reader that breaks one promise. */
interface BrokenReader {
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

const READERS: readonly BrokenReader[] = [
  {
    name: "drops an event",
    clause: "W22",
    follow: mapEvents((event) => (event.sequence === 2 ? [] : [event])),
  },
  {
    name: "repeats an event",
    clause: "W22",
    follow: mapEvents((event) => (event.sequence === 2 ? [event, event] : [event])),
  },
  {
    name: "stops before the end",
    clause: "W22",
    follow: async function* (target) {
      for await (const event of follow(target)) {
        if (event.eventType.startsWith("RUN_")) return;
        yield event;
      }
    },
  },
  {
    name: "goes on behind the end",
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
    name: "reads from the beginning, whatever it has",
    clause: "W22",
    follow: (target) => follow({ ...target, since: 0 }),
  },
  {
    name: "hands over its events when the run has ended",
    clause: "W22",
    follow: async function* (target) {
      const held: RunEvent[] = [];
      for await (const event of follow(target)) held.push(event);
      yield* held;
    },
  },
  {
    name: "hands over payloads as text",
    clause: "W22",
    follow: mapEvents((event) => [{ ...event, payload: JSON.stringify(event.payload) }]),
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
    name: "comes back one too far",
    clause: "W24",
    follow: mapRequests((init) => {
      const headers = new Headers(init.headers);
      const id = headers.get("last-event-id");
      if (id !== null) headers.set("last-event-id", String(Number(id) + 1));
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
        // Nobody is told.
      }
    },
  },
  {
    name: "does not leave",
    clause: "W13",
    follow: (target) => follow({ ...target, signal: new AbortController().signal }),
  },
];

function casesOf(broken: Follow): readonly ConformanceCase[] {
  return runReaderConformance({ name: "broken", follow: broken, ...memoryServerDoors() });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: [...WAITS.toFake] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the reader kit", () => {
  it("finds nothing in the reader that is broken here", async () => {
    // Its own test has those that cut at every byte.
    const cases = casesOf(follow).filter(({ name }) => !name.includes("at any byte"));
    expect(await firstFailure(cases)).toBeNull();
  });

  for (const { name, clause, follow: broken } of READERS) {
    it(`${clause} finds a reader that ${name}`, async () => {
      expect(await firstFailure(casesOf(broken), clause)).toMatch(
        new RegExp(`^broken: ${clause} `),
      );
    });
  }
});

import { createRunFold, createRunStore } from "@tm/run-events-client/store";
import { describe, expect, it } from "vitest";
import { connected, event, finished, startScriptedServer, stream } from "../scripted-server.ts";
import { range } from "../page/open-window.ts";
import { expectRange, expectSnapshot, watchStore, leaveNothing } from "./watch-store.ts";

leaveNothing();

const credential = { cookie: "session=ada" } as const;
const userId = "ada";

/** A reducer that adds each event's sequence to a list, and counts its calls. */
function collecting(): {
  calls: number;
  readonly add: (sum: readonly number[], one: { readonly sequence: number }) => readonly number[];
} {
  const counter = {
    calls: 0,
    add(list: readonly number[], { sequence }: { readonly sequence: number }) {
      counter.calls += 1;
      return [...list, sequence];
    },
  };
  return counter;
}

describe("a fold", () => {
  it("each event is folded once and in order, although a server that comes back sends some again", async () => {
    const { baseUrl, requests } = await startScriptedServer((response, index) => {
      if (index === 0) stream(response, connected(), event(1), event(2)).end();
      else stream(response, connected(), ...range(1, 5).map(event), finished(5));
    });
    const counter = collecting();
    const options = { baseUrl, credential, userId, mostDelayMs: 5 };
    const view = watchStore(createRunStore("again", options));
    const watched = watchStore(
      createRunFold("again", [] as readonly number[], counter.add, options),
    );
    await expectSnapshot(view, { state: "finished" });
    expect(watched.store.getSnapshot()).toEqual([1, 2, 3, 4, 5]);
    expect(counter.calls).toBe(5);
    expect(requests).toEqual(["again/stream?since=0", "again/stream?since=2"]);
    const late = collecting();
    // A fold begins with the first event, even with the options of a view that does not.
    const ofView = { ...options, tail: 1 };
    const second = watchStore(createRunFold("again", [] as readonly number[], late.add, ofView));
    expect(second.store.getSnapshot()).toEqual([1, 2, 3, 4, 5]);
    expect([counter.calls, late.calls]).toEqual([5, 5]);
  });

  it("a replay of 20,000 events takes 20,000 calls of the reducer, and few of the listener", async () => {
    const { baseUrl } = await startScriptedServer((response) =>
      stream(response, connected(), range(1, 20_000).map(event).join(""), finished(20_000)),
    );
    let calls = 0;
    const sum = (value: number, { sequence }: { readonly sequence: number }): number => {
      calls += 1;
      return value + sequence;
    };
    const watched = watchStore(createRunFold("long", 0, sum, { baseUrl, credential, userId }));
    await expectSnapshot(watched, 200_010_000);
    expect(calls).toBe(20_000);
    expect(watched.seen.length).toBeLessThan(400);
  });

  it("begins with the events that are known, and goes on after them", async () => {
    const { baseUrl, requests } = await startScriptedServer((response) =>
      stream(response, connected(), event(3), finished(3)),
    );
    const counter = collecting();
    const createdAt = "2026-01-01T00:00:00.000Z";
    const events = [1, 2].map((sequence) => ({ sequence, eventType: "A", payload: 0, createdAt }));
    const initial = { events, runStatus: "running", currentPhase: null, lastSequence: 2 } as const;
    const options = { baseUrl, credential, userId, initial };
    const watched = watchStore(
      createRunFold("known", [] as readonly number[], counter.add, options),
    );
    expect(watched.seen[0]).toEqual([1, 2]);
    await expect.poll(() => watched.store.getSnapshot()).toEqual([1, 2, 3]);
    expect(counter.calls).toBe(3);
    expect(requests).toEqual(["known/stream?since=2"]);
  });

  it("a reducer that throws throws to its reader, and the next try goes on with that event", async () => {
    const { baseUrl } = await startScriptedServer((response) =>
      stream(response, connected(), event(1), event(2), finished(2)),
    );
    const options = { baseUrl, credential, userId };
    const view = watchStore(createRunStore("throws", options));
    await expectRange(view, 1, 2);
    const seen: number[] = [];
    let isBroken = true;
    const fold = createRunFold(
      "throws",
      0,
      (count, { sequence }) => {
        if (sequence === 2 && isBroken) throw new RangeError("broken");
        seen.push(sequence);
        return count + 1;
      },
      options,
    );
    fold.subscribe(() => {});
    expect(() => fold.getSnapshot()).toThrow("broken");
    isBroken = false;
    expect(fold.getSnapshot()).toBe(2);
    expect(seen).toEqual([1, 2]);
  });
});

import { type ConformanceOptions, runEventStoreConformance } from "@tm/run-events-conformance";
import type { NewEvent, RunEventStore } from "@tm/run-events-core/store";
import { describe, expect, it } from "vitest";
import { caseOf, messageOf, replayOf } from "./messages.ts";
import { mapChanges, mapPlains } from "./mutants/inner-store.ts";
import { type SharedMemoryDoors, sharedMemoryDoors } from "./shared-memory.ts";
import { unwaryDoors } from "./unwary-doors.ts";

let nowMs = Date.UTC(2026, 0);
/** Its clock goes on by one millisecond a look, so that a race that needs a lease to expire is the same race each time. */
const unwary: ConformanceOptions<RunEventStore> = {
  name: "unwary",
  ...unwaryDoors({ now: () => nowMs++ }),
};
const sound: ConformanceOptions<RunEventStore> = { name: "sound", ...sharedMemoryDoors() };

/** A store that keeps payloads as `change` has them. */
function keepingDoors(change: (payload: string) => string): SharedMemoryDoors {
  const kept = (event: NewEvent): NewEvent => ({ ...event, payload: change(event.payload) });
  return sharedMemoryDoors({
    data: (data) => ({
      ...data,
      ...mapPlains(data, (plain) => ({ ...plain, events: plain.events.map(kept) })),
      ...mapChanges(data, {
        commit: ({ events = [], ...rest }) => ({ ...rest, events: events.map(kept) }),
      }),
    }),
  });
}

/** Keeps no payload with a number in it as it was. */
const rounding: ConformanceOptions<RunEventStore> = {
  name: "rounding",
  ...keepingDoors((payload) => payload.replaceAll(/\d/g, "0")),
};

const BROKEN: readonly (readonly [string, ConformanceOptions<RunEventStore>])[] = [
  ["the store answers any program", rounding],
  ["one order", unwary],
  ["any JSON text", rounding],
];

describe("a failure of a random case", () => {
  it.each(BROKEN)(
    "%s: pasting its last line runs the same shrunk input, alone",
    async (part, options) => {
      const found = replayOf(await messageOf(caseOf(options, part)));
      const pasted = { ...options, ...found.pasted };
      const [only, ...others] = runEventStoreConformance(pasted);
      expect(others).toEqual([]);
      const again = await messageOf(only ?? caseOf(pasted, part));
      expect(replayOf(again)).toEqual(found);
      expect(again).toContain("It was run again.");
    },
  );

  it("passes when it is run again on a store that has been mended", async () => {
    for (const [part, options] of BROKEN) {
      const { pasted } = replayOf(await messageOf(caseOf(options, part)));
      await caseOf({ ...sound, ...pasted }, part).run();
    }
  });

  it("shows a race as the shrunk calls, how far an order goes, and the clause", async () => {
    const message = await messageOf(caseOf({ ...unwary, seed: 1 }, "one order"));
    const { input } = replayOf(message);
    expect(message).toMatch(/^S4 is broken: no order of the calls explains their answers\./m);
    expect(message).toMatch(/^ {2}client 0, 1 to 2: createRun \{.*\} = \{"outcome":"created"/m);
    expect(message).toMatch(
      /^ {2}client \d, .*: append \{.*"expectedSequence":\d.*"sequence_conflict", got "appended"/m,
    );
    const race: unknown = JSON.parse(input);
    expect(race).toMatchObject({ prefix: expect.any(Array), branches: expect.any(Array) });
  });

  it("draws the same inputs again from the same seed, and others from another", async () => {
    const firsts = await Promise.all(
      [7, 7, 8].map(async (seed) => {
        const payloads: string[] = [];
        const watched = keepingDoors((payload) => {
          payloads.push(payload);
          return payload;
        });
        await caseOf({ name: "watched", ...watched, seed }, "any JSON text").run();
        return payloads;
      }),
    );
    expect(firsts[0]).toEqual(firsts[1]);
    expect(firsts[0]).not.toEqual(firsts[2]);
  });

  it("is refused as a replay of no case, or at no path", async () => {
    const nowhere = { case: "no such case", seed: 1, path: "0" };
    expect(() => runEventStoreConformance({ ...sound, replay: nowhere })).toThrow(TypeError);
    const [part] = BROKEN[1] ?? [""];
    const { name } = caseOf(sound, part);
    const replay = { case: name, seed: 1, path: "0:999999" };
    const message = await messageOf(caseOf({ ...sound, replay }, part));
    expect(message).toContain("Expected an input at the path 0:999999, found none.");
    const garbled = { ...replay, path: "nonsense" };
    expect(await messageOf(caseOf({ ...sound, replay: garbled }, part))).toContain(
      "Expected an input at the path nonsense, found none.",
    );
  });

  it("is refused as a replay of what the case does not draw", async () => {
    const { name } = caseOf(sound, "a new run is queued");
    const replay = { case: name, seed: 1, path: "0" };
    expect(await messageOf(caseOf({ ...sound, replay }, name))).toContain(
      "Expected a random case to run again, but this case draws no inputs. Run it without a replay.",
    );
  });
});

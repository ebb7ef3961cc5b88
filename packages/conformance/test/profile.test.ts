import { type ProfileName, runEventStoreConformance } from "@tm/run-events-conformance";
import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PROFILES } from "../src/profile.ts";
import { caseOf } from "./messages.ts";
import { mapChanges } from "./mutants/inner-store.ts";

const METADATA = "as a payload and as metadata";
/** The texts that the case tries each time, before any is drawn. */
const NAMED_TEXTS = 17;
const QUICK_INPUTS = PROFILES.quick.inputs.values + NAMED_TEXTS;
const CI_INPUTS = PROFILES.ci.inputs.values + NAMED_TEXTS;

afterEach(() => {
  vi.useRealTimers();
});

/** Counts the stores that are opened and the runs that are created on each. */
function countingDoors(onOpen: () => void = () => {}) {
  const runs: number[] = [];
  const metadata: string[][] = [];
  let open = 0;
  let mostOpen = 0;
  return {
    runs,
    metadata,
    mostOpen: () => mostOpen,
    left: () => open,
    doors: {
      name: "counted",
      open(): RunEventStore {
        onOpen();
        const at = runs.push(0) - 1;
        metadata.push([]);
        open += 1;
        mostOpen = Math.max(mostOpen, open);
        const store = createMemoryStore();
        return {
          ...store,
          ...mapChanges(store, {
            commit(decision, { head }) {
              if (head !== null || !decision.after) return decision;
              runs[at] = (runs[at] ?? 0) + 1;
              metadata[at]?.push(decision.after.metadata ?? "");
              return decision;
            },
          }),
        };
      },
      destroy() {
        open -= 1;
      },
    },
  };
}

describe("a profile", () => {
  it.each([
    ["quick", QUICK_INPUTS],
    ["ci", CI_INPUTS],
    [undefined, CI_INPUTS],
  ] as const)("%s says how many inputs a random case draws", async (profile, inputs) => {
    const { doors, runs } = countingDoors();
    const options = profile === undefined ? doors : { ...doors, profile };
    await caseOf(options, METADATA).run();
    expect(runs).toEqual([inputs]);
  });

  it("soak goes on until the time is up, each time on a fresh store with other inputs", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { doors, runs, metadata, mostOpen, left } = countingDoors(() => {
      vi.setSystemTime(Date.now() + 1_000);
    });
    await caseOf({ ...doors, profile: "soak", soakMs: 3_500 }, METADATA).run();
    expect(runs).toEqual([CI_INPUTS, CI_INPUTS, CI_INPUTS, CI_INPUTS]);
    expect([mostOpen(), left()]).toEqual([1, 0]);
    expect(new Set(metadata.map((texts) => texts.join("\n"))).size).toBe(4);
  });

  it("soak runs a case without anything random once", async () => {
    const { doors, runs } = countingDoors();
    await caseOf({ ...doors, profile: "soak", soakMs: 3_600_000 }, "a new run is queued").run();
    expect(runs).toHaveLength(1);
  });

  it("soak allows a case the time that was asked, and more", () => {
    const { doors } = countingDoors();
    const { timeoutMs } = caseOf({ ...doors, profile: "soak", soakMs: 3_600_000 }, METADATA);
    expect(timeoutMs).toBeGreaterThan(3_600_000);
  });

  it("is refused if its name is unknown, and so is an invalid time", () => {
    const { doors } = countingDoors();
    const profile = "toString" as ProfileName;
    expect(() => runEventStoreConformance({ ...doors, profile })).toThrow("quick, ci, soak");
    for (const soakMs of [0, -1, Number.NaN]) {
      expect(() => runEventStoreConformance({ ...doors, soakMs })).toThrow("soakMs");
    }
  });
});

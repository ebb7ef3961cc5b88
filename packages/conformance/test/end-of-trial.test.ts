import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { StoreDoors } from "../src/doors.ts";
import { runTrial, type Trial } from "../src/trial.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

/** Longer than a store is waited for at its end, in milliseconds. */
const PAST_PATIENCE_MS = 60_000;
const never = new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
});

/** A trial under way, and what became of it; `null` as long as nothing did. */
function startTrial<Place = undefined>(
  doors: StoreDoors<Place>,
  body: (trial: Trial) => Promise<void>,
) {
  const controller = new AbortController();
  let outcome: string | null = null;
  const running = runTrial(doors, body, { signal: controller.signal }).then(
    () => void (outcome = "passed"),
    (error: unknown) => void (outcome = String(error)),
  );
  return {
    running,
    outcome: () => outcome,
    abort: () => controller.abort(new Error("Enough.")),
    /** Lets all the time pass that the kit may wait for. */
    wait: () => vi.advanceTimersByTimeAsync(PAST_PATIENCE_MS),
  };
}

/** A store that says what becomes of it, and hangs at what is asked. */
function noisyDoors(hangs: (step: string) => boolean) {
  const steps: string[] = [];
  const closing = Promise.withResolvers<void>();
  async function note(step: string): Promise<void> {
    steps.push(step);
    if (step === "close") closing.resolve();
    if (hangs(step)) await never;
  }
  const doors: StoreDoors = {
    open: () => ({ ...createMemoryStore(), close: () => note("close") }),
    destroy: () => note("destroy"),
  };
  return { doors, steps, closing: closing.promise };
}

describe("a trial that is given up", () => {
  it("closes and destroys a store that was opening, once it is open", async () => {
    const { doors, steps } = noisyDoors(() => false);
    const opening = Promise.withResolvers<RunEventStore>();
    let hasBegun = false;
    const trial = startTrial({ ...doors, open: () => opening.promise }, async () => {
      hasBegun = true;
    });
    trial.abort();
    opening.resolve(doors.open(undefined));
    await trial.running;
    expect([trial.outcome(), steps]).toEqual(["Error: Enough.", ["close", "destroy"]]);
    expect(hasBegun).toBe(false);
  });

  it("does not wait for ever for a store that hangs at its end, and takes every step of that", async () => {
    const { doors, steps } = noisyDoors(() => true);
    const trial = startTrial(doors, () => never);
    trial.abort();
    await trial.wait();
    expect(trial.outcome()).toBe("Error: Enough.");
    expect(steps).toEqual(["close", "destroy"]);
  });

  it.each(["close", "destroy"])(
    "fails even if it is given up only while its store hangs at %s",
    async (hanging) => {
      const { doors, steps, closing } = noisyDoors((step) => step === hanging);
      const trial = startTrial(doors, async () => {});
      await closing;
      await trial.wait();
      expect(trial.outcome()).toBe(null);
      trial.abort();
      await trial.wait();
      expect(trial.outcome()).toMatch(/^Error: Expected the end of a store within /);
      expect(steps).toEqual(["close", "destroy"]);
    },
  );

  it("ends a fresh store of its body before it ends itself", async () => {
    const { doors, steps } = noisyDoors(() => false);
    const begun = Promise.withResolvers<void>();
    const trial = startTrial(doors, ({ withFreshStore }) =>
      withFreshStore(async () => {
        begun.resolve();
        await never;
      }),
    );
    await begun.promise;
    trial.abort();
    await trial.running;
    expect(steps).toEqual(["close", "destroy", "close", "destroy"]);
  });

  it("opens no second object on data that is destroyed by then", async () => {
    const { prepare, open } = sharedMemoryDoors();
    const closing = Promise.withResolvers<void>();
    const late = Promise.withResolvers<unknown>();
    let opened = 0;
    const doors: StoreDoors<RunEventStore> = {
      prepare,
      open(data) {
        opened += 1;
        return open(data);
      },
    };
    const begun = Promise.withResolvers<void>();
    const trial = startTrial(doors, async (inner) => {
      begun.resolve();
      await closing.promise;
      await inner.reopen().catch(late.resolve);
    });
    await begun.promise;
    trial.abort();
    await trial.running;
    closing.resolve();
    expect(String(await late.promise)).toContain(
      "Expected a trial that still runs, but it has ended.",
    );
    expect(opened).toBe(1);
  });
});

import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { describe, expect, it } from "vitest";
import { caseOf } from "./messages.ts";

/** A store on which `append` is never answered; `asked` resolves at the first one. */
function hangingStore() {
  const asked = Promise.withResolvers<void>();
  const store: RunEventStore = {
    ...createMemoryStore(),
    append() {
      asked.resolve();
      return new Promise(() => {});
    },
  };
  return { store, asked: asked.promise };
}

describe("the signal of a run", () => {
  it("ends a case that hangs: its stores are closed and destroyed, and it fails with the reason", async () => {
    const { store, asked } = hangingStore();
    const ended: string[] = [];
    const { run } = caseOf(
      {
        name: "hanging",
        open: () => ({ ...store, close: async () => void ended.push("closed") }),
        destroy: () => void ended.push("destroyed"),
      },
      "each request of one call",
    );
    const controller = new AbortController();
    const running = run({ signal: controller.signal });
    await asked;
    controller.abort(new Error("Enough."));
    await expect(running).rejects.toThrow("Enough.");
    expect(ended).toEqual(["closed", "destroyed"]);
  });

  it("opens nothing once it is aborted", async () => {
    let opened = 0;
    const { run } = caseOf(
      {
        name: "late",
        open() {
          opened += 1;
          return createMemoryStore();
        },
      },
      "a new run is queued",
    );
    await expect(run({ signal: AbortSignal.abort(new Error("Enough.")) })).rejects.toThrow();
    expect(opened).toBe(0);
  });
});

describe("the signal of a run with random inputs", () => {
  it("tries no more inputs once it is aborted", async () => {
    const controller = new AbortController();
    const store = createMemoryStore();
    let created = 0;
    const { run } = caseOf(
      {
        name: "counted",
        open: () => ({
          ...store,
          change(changes) {
            created += 1;
            if (created === 4) controller.abort(new Error("Enough."));
            return store.change(changes);
          },
        }),
      },
      "any JSON text",
    );
    await expect(run({ signal: controller.signal })).rejects.toThrow("Enough.");
    // If the case went on, it would do so within these turns.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(created).toBe(4);
  });
});

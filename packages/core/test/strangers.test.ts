import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createFakeClock } from "./fake-clock.ts";

const CALLS = 100;
const NOTE = { eventType: "NOTE", payload: "x".repeat(32_768) };

/** A log whose store counts the groups that it is given, and takes a turn of the event loop for each. */
function createCountedLog(): { readonly log: RunLog; readonly groups: () => number } {
  const memory = createMemoryStore();
  let groups = 0;
  async function count(): Promise<void> {
    groups += 1;
    await setImmediate();
  }
  const store: RunEventStore = {
    ...memory,
    read: (queries) => count().then(() => memory.read(queries)),
    append: (requests) => count().then(() => memory.append(requests)),
  };
  return { log: createRunLog({ store, clock: createFakeClock() }), groups: () => groups };
}

it.each([
  ["reads", (log: RunLog, ownerId: string) => log.readPage("bobs", { ownerId, maxBytes: 262_144 })],
  ["appends", (log: RunLog, ownerId: string) => log.append("bobs", [NOTE], { ownerId })],
] as const)(
  "W49: a stranger's %s hold up a run's owner no longer than one group",
  async (_, call) => {
    const { log, groups } = createCountedLog();
    await log.createRun({ runId: "bobs", ownerId: "bob" });
    const asked = Array.from({ length: CALLS }, () => call(log, "ada"));
    const answered = Promise.allSettled(asked);
    // The first group is on its way.
    while (groups() === 0) await setImmediate();
    await call(log, "bob");
    // That one, and the owner's own.
    expect(groups()).toBeLessThanOrEqual(2);
    for (const answer of await answered)
      expect(answer).toMatchObject({ reason: { code: "not_found" } });
    await log.close();
  },
);

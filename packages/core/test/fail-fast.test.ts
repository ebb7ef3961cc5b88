import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import { failFast } from "../src/log/fail-fast.ts";
import { stallsOf } from "../src/log/run-log.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";
import { createFakeClock } from "./fake-clock.ts";

const NOTE = [{ eventType: "NOTE" }];

it("S31: while the disk is full, writes are refused at once and reads are answered, and callers in the process are not refused", async () => {
  const memory = createMemoryStore();
  let full: RunEventsError | null = null;
  let appends = 0;
  const store = {
    ...memory,
    async append(requests: Parameters<typeof memory.append>[0]) {
      appends += 1;
      if (full !== null) throw full;
      return memory.append(requests);
    },
    async probe() {
      if (full !== null) throw full;
      return memory.probe();
    },
  };
  const clock = createFakeClock();
  const log = createRunLog({ store, clock });
  const { run } = await log.createRun({ ownerId: "ada" });
  const served = failFast(log);
  full = new RunEventsError("store_unavailable", "The disk is full.", { retryable: false });
  await expect(served.append(run.runId, NOTE, ADA)).rejects.toBe(full);
  clock.advance(250);
  await nextTurn();
  expect(stallsOf(log).writes.stalledBy).toBe(full);
  const before = appends;
  await expect(served.append(run.runId, NOTE, ADA)).rejects.toBe(full);
  await expect(served.createRun({ ownerId: "ada" })).rejects.toBe(full);
  expect(appends).toBe(before);
  expect((await served.readPage(run.runId, ADA)).run.lastSequence).toBe(0);
  expect(
    (
      await served.listRuns({
        topic: null,
        ownerId: "ada",
        runStatus: null,
        before: null,
        limit: 9,
      })
    ).runs.length,
  ).toBe(1);
  await expect(log.append(run.runId, NOTE, ADA)).rejects.toBe(full);
  expect(appends).toBeGreaterThan(before);

  full = null;
  expect((await log.append(run.runId, NOTE, ADA)).lastSequence).toBe(1);
  clock.advance(1_000);
  await nextTurn();
  expect((await served.append(run.runId, NOTE, ADA)).lastSequence).toBe(2);
  await log.close();
  expect(clock.timers()).toBe(0);
});

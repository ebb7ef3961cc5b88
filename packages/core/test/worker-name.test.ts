import { describe, expect, it } from "vitest";
import { checkWorkerName, isWorkerName } from "../src/rules/worker-name.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";

describe("checkWorkerName", () => {
  it("W44: a text of 1 to 100 code points without control characters is a name, and nothing else is", () => {
    const longest = "\u{1f375}".repeat(100);
    for (const good of ["w", "x".repeat(100), longest]) expect(checkWorkerName(good)).toBe(good);
    for (const none of [null, undefined]) expect(checkWorkerName(none)).toBeNull();
    for (const bad of ["", "x".repeat(101), `${longest}x`, "a\n", "\ud83c", 7, ["w"], true]) {
      expect(isWorkerName(bad)).toBe(false);
      expect(() => checkWorkerName(bad)).toThrow(
        expect.objectContaining({ code: "invalid_request" }),
      );
    }
  });
});

describe("the name of a run's worker", () => {
  it("W44: is in the snapshots of a run that is worked on, and in those of a claim; a bad one claims nothing", async () => {
    const runs = createRunEvents({ store: createMemoryStore() });
    const { runId } = await runs.create(ADA);
    for (const worker of ["", 7 as unknown as string]) {
      const refused = { code: "invalid_request" };
      await expect(runs.claim(runId, { ...ADA, leaseMs: 1_000, worker })).rejects.toMatchObject(
        refused,
      );
      await expect(
        runs.work(runId, { ...ADA, leaseMs: 1_000, worker }, () => 1),
      ).rejects.toMatchObject(refused);
    }
    const { fence, expiresAt } = await runs.claim(runId, {
      ...ADA,
      leaseMs: 60_000,
      worker: "w-1",
    });
    expect((await runs.get(runId, ADA)).lease).toStrictEqual({ worker: "w-1", expiresAt });
    await runs.release(runId, fence, ADA);
    await runs.work(runId, { ...ADA, leaseMs: 60_000, worker: "w-2" }, async () => {
      expect((await runs.get(runId, ADA)).lease?.worker).toBe("w-2");
      expect((await runs.list(ADA)).runs[0]?.lease?.worker).toBe("w-2");
    });
    expect((await runs.get(runId, ADA)).lease).toBeNull();
    await runs.close();
  });
});

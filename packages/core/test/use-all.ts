import { equal } from "node:assert/strict";
import type { AdasRuns } from "./adas-runs.ts";

/** The values that `useAll` reads. */
export const ALL: readonly unknown[] = [1, 2, { phase: "p" }, 3];

/** Appends, reads and follows a run to its end while no faked timer goes off. */
export async function useAll(runs: AdasRuns): Promise<readonly unknown[]> {
  const { runId } = await runs.create();
  const tailed: unknown[] = [];
  const tail = (async () => {
    for await (const event of runs.tail(runId)) tailed.push(event.payload);
  })();
  await runs.append(runId, [{ eventType: "A", payload: 1 }]);
  equal((await runs.read(runId)).lastSequence, 1);
  await runs.work(runId, { leaseMs: 1_000 }, async (run) => {
    void run.emit("A", 2);
    await run.phase("p");
    return 3;
  });
  await tail;
  await runs.reap();
  await runs.probe();
  await runs.close();
  return tailed;
}

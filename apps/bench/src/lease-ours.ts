import { APPEND_EVENT_BYTES, type AppendLoad, appendTogether, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { openLog } from "./lease-log.ts";
import { LEASE_RUNS, type LeaseWriter } from "./lease-writer.ts";
import { sampleEvent } from "./sample-event.ts";

/** Longer than the section takes. */
const LEASE_MS = 3_600_000;

const runs = await openLog(process.argv[2] ?? "", 2 * LEASE_RUNS);
const event = sampleEvent(APPEND_EVENT_BYTES);
/** The first half of the runs is free. */
const fences = new Map<string, number>();
for (let index = 0; index < LEASE_RUNS; index++) {
  const runId = runIdOf(index);
  const { fence } = await runs.claim(held(runId), { leaseMs: LEASE_MS });
  fences.set(runId, fence);
}

function held(runId: string): string {
  return runIdOf(LEASE_RUNS + Number(runId.slice(runIdOf(0).length - 1)));
}

serveParent<LeaseWriter>({
  free: (load: AppendLoad) => appendTogether(load, (runId) => runs.append(runId, [event])),
  held: (load: AppendLoad) =>
    appendTogether(load, (runId) =>
      runs.append(held(runId), [event], { fence: fences.get(runId) }),
    ),
});

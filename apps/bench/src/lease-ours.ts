import type { AppendOptions } from "@tm/run-events-core";
import { APPEND_EVENT_BYTES, type AppendLoad, appendTogether, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { openLog } from "./lease-log.ts";
import { LEASE_RUNS, type LeaseWriter } from "./lease-writer.ts";
import type { Cost } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

/** Longer than the section takes. */
const LEASE_MS = 3_600_000;

const runs = await openLog(process.argv[2] ?? "", 2 * LEASE_RUNS);
const event = sampleEvent(APPEND_EVENT_BYTES);
/** How each caller appends, by the run that it is dealt. */
type Manner = ReadonlyMap<string, { readonly runId: string; readonly options: AppendOptions }>;

/** The first half of the runs is nobody's. */
const free = new Map(ids(0).map((runId) => [runId, { runId, options: {} }]));
const held = new Map(
  await Promise.all(
    ids(LEASE_RUNS).map(async (runId, index) => {
      const { fence } = await runs.claim(runId, { leaseMs: LEASE_MS });
      return [runIdOf(index), { runId, options: { fence } }] as const;
    }),
  ),
);

function ids(from: number): readonly string[] {
  return Array.from({ length: LEASE_RUNS }, (_, index) => runIdOf(from + index));
}

/** Both do the same by themselves, so that only the lease differs. */
function append(load: AppendLoad, manner: Manner): Promise<Cost> {
  return appendTogether(load, (dealt) => {
    const { runId = "", options = {} } = manner.get(dealt) ?? {};
    return runs.append(runId, [event], options);
  });
}

serveParent<LeaseWriter>({
  free: (load: AppendLoad) => append(load, free),
  held: (load: AppendLoad) => append(load, held),
});

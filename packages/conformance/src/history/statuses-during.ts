import type { RunStatus } from "@tm/run-events-core";
import type { AppendOperation } from "./operation.ts";
import type { PlacedLog } from "./placed-batches.ts";

/** The statuses that the run may have had at some instant of the call, as far as the answers to appends show. */
export function statusesDuring(
  { events, landed }: PlacedLog,
  { begunAt, endedAt }: AppendOperation,
): readonly RunStatus[] {
  const before = landed.findLastIndex(({ sent }) =>
    sent.some(
      ({ result, endedAt: at }) => "firstSequence" in result && at !== null && at < begunAt,
    ),
  );
  const after = landed.findIndex(({ sent }) =>
    sent.every((one) => one.begunAt > (endedAt ?? Infinity)),
  );
  const possible = landed.slice(before + 1, after === -1 ? landed.length : after);
  const ends = [
    landed[before]?.lastSequence ?? 0,
    ...possible.map(({ lastSequence }) => lastSequence),
  ];
  return ends.map((lastSequence) => events[lastSequence - 1]?.runStatus ?? "queued");
}

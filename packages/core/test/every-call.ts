import type { RunEvents } from "../src/run-events.ts";

/** Makes each call about one run. */
export function everyCall(
  runs: RunEvents,
  runId: string,
  owner: { readonly ownerId: string },
): readonly (() => Promise<unknown>)[] {
  const lease = { ...owner, leaseMs: 1_000 };
  return [
    () => runs.append(runId, [{ eventType: "TOKEN" }], owner),
    () => runs.input(runId, null, owner),
    () => runs.read(runId, owner),
    () => runs.tail(runId, owner)[Symbol.asyncIterator]().next(),
    () => runs.get(runId, owner),
    () => runs.cancel(runId, owner),
    () => runs.delete(runId, owner),
    () => runs.claim(runId, lease),
    () => runs.renew(runId, 1, lease),
    () => runs.release(runId, 1, owner),
    () => runs.work(runId, lease, () => {}),
  ];
}

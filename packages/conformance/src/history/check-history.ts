import { checkAnswers } from "./check-answers.ts";
import { callsOfMany, checkCallOrder, narrowLanders } from "./check-call-order.ts";
import { checkOrder } from "./check-order.ts";
import { checkFences } from "./check-fences.ts";
import type {
  AppendOperation,
  History,
  LeaseOperation,
  LoggedEvent,
  LogOperation,
  Operation,
  Violation,
} from "./operation.ts";
import { placeBatches } from "./placed-batches.ts";

/**
 * Whether one order of the appends explains everything that was answered, even while they raced. A search for such an order
 * would take for ever; here the log that is left is the order, since an append is answered with where it landed. So the
 * check takes time in proportion to the history.
 *
 * It holds against the log: each acknowledged batch is there, whole, once, where the answer shows; what was refused is not;
 * what is unknown is there whole or not at all; nothing comes after the end. Each page is a slice of it. Each refusal was
 * right at some instant of its call, and the requests of a call happened in their order. And there are instants, each within
 * its call, at which the batches can have landed in the order of the log so that every head was read while it was the head.
 *
 * And no append lands under a fence that is not the current one, nor without one while a worker has the run: see `checkFences`.
 *
 * Where several requests without an answer may have landed one batch, not every choice among them is tried: what only that
 * would find passes.
 * @returns the first violation that is found, else `null`
 */
export function checkHistory({ operations, logs }: History): Violation | null {
  const byRun = Map.groupBy(operations, ({ runId }) => runId);
  for (const [runId, log] of logs) {
    const found = checkRun(log, byRun.get(runId) ?? []);
    if (found !== null) return found;
  }
  return null;
}

function checkRun(log: readonly LoggedEvent[], operations: readonly Operation[]): Violation | null {
  const appends = operations.filter((one): one is AppendOperation => one.kind === "append");
  const leases = operations.filter((one): one is LeaseOperation => one.kind === "lease");
  const ofLog = operations.filter((one): one is LogOperation => one.kind !== "lease");
  const placed = placeBatches(log, appends);
  if ("clause" in placed) return placed;
  const wrong = checkAnswers(placed, ofLog);
  if (wrong !== null) return wrong;
  const calls = callsOfMany(appends);
  const narrowed = narrowLanders(placed, calls);
  return (
    checkCallOrder(narrowed, calls) ??
    checkOrder(narrowed, ofLog) ??
    checkFences(narrowed, leases, appends)
  );
}

import { checkAnswers } from "./check-answers.ts";
import { callsOfMany, checkCallOrder, narrowLanders } from "./check-call-order.ts";
import { checkOrder } from "./check-order.ts";
import { checkFences } from "./check-fences.ts";
import { checkPlaces } from "./check-places.ts";
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
 * Checks that one order of the appends explains all answers, even those of calls that raced. The order is that of the log, since
 * an append is answered with its place in the log. So the check takes time in proportion to the history.
 *
 * It compares the answers with the log:
 * - Each acknowledged batch is in the log, whole, once, at its place. A refused batch is not. An unknown one is there whole or not at
 *   all. Nothing follows the end of a run.
 * - Each page is a slice of the log. Each refusal was right at some instant of its call.
 * - The requests of one call happened in their order.
 * - Each batch can have landed at an instant of its call, in the order of the log, so that each head was read while it was the head.
 * - No append landed under a fence that was not the current one, or without a fence while a worker had the run.
 * - One run of a topic at a time had the topic's place, from its creation to its end.
 *
 * If several requests without an answer may have landed one batch, it does not try every choice among them. A violation that only
 * such a choice shows is not found.
 *
 * @returns the first violation that it finds, else `null`
 */
export function checkHistory({ operations, logs }: History): Violation | null {
  const byRun = Map.groupBy(operations, ({ runId }) => runId);
  for (const [runId, log] of logs) {
    const found = checkRun(log, byRun.get(runId) ?? []);
    if (found !== null) return found;
  }
  return checkPlaces({ operations, logs });
}

function checkRun(log: readonly LoggedEvent[], operations: readonly Operation[]): Violation | null {
  const appends = operations.filter((one): one is AppendOperation => one.kind === "append");
  const leases = operations.filter((one): one is LeaseOperation => one.kind === "lease");
  const ofLog = operations.filter(
    (one): one is LogOperation => one.kind === "append" || one.kind === "read",
  );
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

import type { History, LogOperation, Operation } from "../src/history/operation.ts";
import { appendTo, readFrom, type SimulatedRun } from "./simulated-history.ts";

/** Whether there is an order of the calls that explains a small history: by trying them all. */
export function searchOrder({ operations, logs }: History): boolean {
  const log = JSON.stringify(logs.get("run"));
  return search(operations.filter(isOfLog), { log: [], keys: new Map() }, log);
}

function isOfLog(one: Operation): one is LogOperation {
  return one.kind !== "lease";
}

function search(left: readonly LogOperation[], run: SimulatedRun, log: string): boolean {
  if (left.length === 0) return JSON.stringify(run.log) === log;
  return left.some((next, index) => {
    if (left.some((other) => endOf(other) < next.begunAt)) return false;
    if (left.slice(0, index).some((other) => isSameCall(other, next))) return false;
    const others = left.filter((one) => one !== next);
    return outcomesOf(next, run).some((after) => search(others, after, log));
  });
}

/** The requests of one call happen in the order of the call. */
function isSameCall(one: LogOperation, other: LogOperation): boolean {
  return (
    one.kind === "append" &&
    other.kind === "append" &&
    one.client === other.client &&
    one.call === other.call
  );
}

/** What has no answer is over whenever it likes. */
function endOf(operation: LogOperation): number {
  const isOpen = operation.kind === "append" && operation.result.outcome === "unknown";
  return isOpen ? Infinity : (operation.endedAt ?? Infinity);
}

/** The runs that there may be after a call, if it can be answered as it was. */
function outcomesOf(operation: LogOperation, run: SimulatedRun): readonly SimulatedRun[] {
  if (operation.kind === "read") {
    const { since, ids, lastSequence, runStatus, phaseId } = operation;
    const page = readFrom(run, since, Math.max(1, ids.length));
    const isSame =
      JSON.stringify(page) === JSON.stringify({ since, ids, lastSequence, runStatus, phaseId });
    return isSame ? [run] : [];
  }
  const after: SimulatedRun = { log: [...run.log], keys: new Map(run.keys) };
  const result = appendTo(after, operation);
  if (operation.result.outcome === "unknown") return [run, after];
  if (operation.result.outcome === "failed") return [run];
  return JSON.stringify(result) === JSON.stringify(operation.result) ? [after] : [];
}

import type { AppendOperation, Operation } from "../history/operation.ts";
import type { Report } from "./worker-commands.ts";

/** What the processes of a case have reported of their calls so far. */
export interface Ledger {
  take(this: void, report: Report): void;
  /** All that was reported; calls that were not answered are `unknown`. */
  operations(): readonly Operation[];
  /** How many reports came from a client. */
  reports(client: string): number;
  /** How many calls of a client have had an append acknowledged. */
  acknowledged(client: string): number;
  /** Resolves at the report that makes it so, before another one is taken. */
  until(isSo: () => boolean): Promise<void>;
}

/** Keeps the reports of a case. */
export function createLedger(): Ledger {
  const ended: Operation[] = [];
  const open = new Map<string, readonly Operation[]>();
  const reports = new Map<string, number>();
  const acknowledged = new Map<string, number>();
  const waiting = new Set<{ readonly isSo: () => boolean; readonly resolve: () => void }>();

  function count(counts: Map<string, number>, client: string | undefined): void {
    if (client !== undefined) counts.set(client, (counts.get(client) ?? 0) + 1);
  }

  return {
    take(report) {
      const [first] = "begun" in report ? report.begun : report.ended;
      if (first === undefined) return;
      count(reports, first.client);
      if ("begun" in report) open.set(first.client, report.begun);
      else {
        open.delete(first.client);
        for (const one of report.ended) ended.push(one);
        if (report.ended.some(isAcknowledged)) count(acknowledged, first.client);
      }
      for (const one of waiting) {
        if (!one.isSo()) continue;
        waiting.delete(one);
        one.resolve();
      }
    },
    operations: () => [...ended, ...[...open.values()].flat()],
    reports: (client) => reports.get(client) ?? 0,
    acknowledged: (client) => acknowledged.get(client) ?? 0,
    until(isSo) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (isSo()) resolve();
      else waiting.add({ isSo, resolve });
      return promise;
    },
  };
}

/** Whether it is an append that has a receipt. */
export function isAcknowledged(operation: Operation): operation is AppendOperation {
  return operation.kind === "append" && ["appended", "replayed"].includes(operation.result.outcome);
}

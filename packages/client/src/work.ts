import type { WorkedRun } from "@tm/run-events-core";

export type { AppendReceipt, WorkedRun } from "@tm/run-events-core";
export type { WorkRunOptions } from "./write/work-run.ts";
export { workRun } from "./write/work-run.ts";

/** Settings of a worker's appends. */
export type WorkAppendOptions = NonNullable<Parameters<WorkedRun["append"]>[1]>;

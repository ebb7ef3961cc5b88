export type { AppendReceipt, WorkAppendOptions, WorkedRun } from "@tm/run-events-core";
export type { WorkRunOptions } from "./work-run.ts";
export { workRun } from "./work-run.ts";

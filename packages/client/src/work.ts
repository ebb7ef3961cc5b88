export type { AppendReceipt, WorkedRun } from "@tm/run-events-core";
export type { WorkAppendOptions } from "@tm/run-events-core/wire";
export type { WorkRunOptions } from "./work-run.ts";
export { workRun } from "./work-run.ts";

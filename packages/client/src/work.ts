export type { AppendReceipt, WorkedRun } from "@tm/run-events-core";
export type { WorkAppendOptions } from "@tm/run-events-core/wire";
export type { WorkRunOptions } from "./write/work-run.ts";
export { workRun } from "./write/work-run.ts";

export { checkHistory } from "./check-history.ts";
export type {
  AppendOperation,
  AppendResult,
  History,
  LeaseOperation,
  LeaseResult,
  LoggedEvent,
  LogOperation,
  Operation,
  ReadOperation,
  Violation,
} from "./operation.ts";
export { drawTimeline } from "./timeline.ts";

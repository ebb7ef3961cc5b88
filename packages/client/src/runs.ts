export type {
  AppendReceipt,
  Claim,
  EventDraft,
  RunEventsPage,
  RunSnapshot,
  WorkedRun,
  WorkOptions,
} from "@tm/run-events-core";
export type {
  CallOptions,
  Client,
  ClientOptions,
  EventsQuery,
  FollowRunOptions,
  ListQuery,
  Session,
} from "./runs/create-client.ts";
export type { KeptRun, RunList } from "./runs/kept-run.ts";
export { createClient } from "./runs/create-client.ts";
export type { AppendConditions } from "./http/run-calls.ts";

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
  KeptRun,
  ListQuery,
  RunList,
  Session,
} from "./runs/create-client.ts";
export { createClient } from "./runs/create-client.ts";
export type { AppendConditions } from "./http/run-calls.ts";

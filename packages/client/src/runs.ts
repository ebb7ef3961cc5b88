export type {
  AppendReceipt,
  Claim,
  EventDraft,
  RunEventsPage,
  RunSnapshot,
  WorkedRun,
  WorkOptions,
} from "@tm/run-events-core";
export type { CallOptions } from "./http/retrying.ts";
export type { Client, ClientOptions, Session } from "./runs/create-client.ts";
export type { WatchedRuns, WatchRunsOptions } from "./follow/watch-runs.ts";
export type { FeedConnection } from "./feed/followed-feed.ts";
export type { KeptRun, RunList } from "./runs/kept-run.ts";
export type { FollowRunOptions } from "./follow/follow-options.ts";
export { createClient } from "./runs/create-client.ts";
export type { AppendConditions } from "./http/run-calls.ts";
export type { EventsQuery, ListQuery } from "./http/queries.ts";

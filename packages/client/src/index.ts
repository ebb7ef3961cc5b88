export type { Credential } from "./http/credential.ts";
export type { EventMap, OtherType, PayloadOf, TypedEvent } from "./typed/event-map.ts";
export type { RunFollower } from "./follow/follow-run.ts";
export type { FollowOptions } from "./follow/follow-options.ts";
export { followRun } from "./follow/follow-run.ts";
export type {
  AppendOptions,
  RunWriter,
  StartOptions,
  TypedDraft,
  TypedMerges,
} from "./write/start-run.ts";
export { startRun } from "./write/start-run.ts";
export type { PayloadSchema, PayloadSchemas } from "./typed/payload-schema.ts";
export type { ServerOptions } from "./http/server.ts";
export type { FollowState, ConnectionState } from "./follow/connection-state.ts";

export type { Credential } from "./credential.ts";
export type { EventMap, TypedEvent } from "./event-map.ts";
export type { FollowOptions, RunFollower } from "./follow-run.ts";
export { followRun } from "./follow-run.ts";
export type { AppendOptions, RunWriter, StartOptions, TypedDraft } from "./start-run.ts";
export { startRun } from "./start-run.ts";
export type { PayloadSchema, PayloadSchemas } from "./payload-schema.ts";
export type { ServerOptions } from "./server.ts";
export type { FollowState, Standing } from "./standing.ts";

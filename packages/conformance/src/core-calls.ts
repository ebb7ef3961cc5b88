import type {
  createRunCalls,
  DueQuery,
  PlainLanding,
  RunEventStore,
  runOf,
} from "@tm/run-events-core/store";

/** The calls that core's rules make of a store. The requests and outcomes of the kit's cases are theirs. */
type Calls = ReturnType<typeof createRunCalls>;
type Asked<Call extends keyof Calls> = Parameters<Calls[Call]>[0];
type Answered<Call extends keyof Calls> = Awaited<ReturnType<Calls[Call]>>;

export type NewRunRequest = Asked<"create">;
export type CreateClaim = NonNullable<NewRunRequest["claim"]>;
export type CreateOutcome = Answered<"create">;
export type AppendRequest = Asked<"append">;
export type Appender = AppendRequest["appender"];
export type AppendOutcome = Answered<"append">;
export type AppendLanding = Omit<PlainLanding, "leaseExpiresAtMs">;
export type ClaimRequest = Asked<"claim">;
export type RenewRequest = Asked<"renew">;
export type RenewOutcome = Answered<"renew">;
export type ReleaseRequest = Asked<"release">;
export type LeaseOutcome = Answered<"claim">;
export type LeaseRefusal = Exclude<LeaseOutcome, { readonly outcome: "granted" }>;
export type RemovalOutcome = Answered<"remove">;
export type DueKind = DueQuery["due"];
export type DueLimit = Parameters<Calls["end"]>[1];
export type DueOutcome = Answered<"end">;
export type Run = ReturnType<typeof runOf>;
export type Subscription = ReturnType<RunEventStore["subscribe"]>;

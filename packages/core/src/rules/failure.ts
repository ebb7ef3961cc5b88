import type { Appender } from "./append.ts";

/** Why the system ended a run as failed: the `reason` of `RUN_FAILED`. @see clause W43 in `WIRE.md` of `@tm/run-events-http` */
type FailureReason = "error" | "lease_expired" | "never_started" | "abandoned" | "shutdown";

/** The payload of `RUN_FAILED` that the system writes. @see clause W43 in `WIRE.md` of `@tm/run-events-http` */
export interface FailurePayload {
  readonly reason: FailureReason;
  readonly message?: string;
}

/** Ends a run that no worker works on. */
export type Ender = Extract<Appender, { readonly by: "reaper" | "sweeper" }>;

/** Why a run ends that no worker works on. @see clauses W33, W37 and W43 in `WIRE.md` of `@tm/run-events-http` */
export function endPayload(ender: Ender): FailurePayload {
  if (ender.by === "reaper") return { reason: "lease_expired" };
  return { reason: ender.runStatus === "queued" ? "never_started" : "abandoned" };
}

/** Why the system ended a run as failed: the `reason` of `RUN_FAILED`. @see clause W43 in `WIRE.md` of `@tm/run-events-http` */
type FailureReason = "error" | "lease_expired" | "never_started" | "abandoned" | "shutdown";

/** The payload of `RUN_FAILED` that the system writes. @see clause W43 in `WIRE.md` of `@tm/run-events-http` */
export interface FailurePayload {
  readonly reason: FailureReason;
  readonly message?: string;
}

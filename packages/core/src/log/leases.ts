import { parseIdempotencyKey } from "../rules/append.ts";
import type { LeasedRun, LeaseRefusal } from "../rules/claims.ts";
import { describeValue } from "../rules/describe-value.ts";
import { encodeTime } from "../rules/encode-time.ts";
import { RunEventsError, runFenced, runFinished, runNotFound } from "../rules/errors.ts";
import { checkFence } from "../rules/lease.ts";
import { ownerIdOf, type OwnerOption } from "../rules/owner.ts";
import { checkRunId } from "../rules/run-id.ts";
import type { RunRecord } from "../rules/run.ts";
import { checkWorkerName } from "../rules/short-text.ts";
import type { RunCalls } from "./run-calls.ts";

/**
 * The shortest lease in milliseconds: a short pause of a healthy process must not lose it.
 * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
 */
export const MIN_LEASE_MS = 1_000;
/** The longest lease in milliseconds. @see clause W31 in `WIRE.md` of `@tm/run-events-http` */
export const MAX_LEASE_MS = 3_600_000;

/** The time that a lease lasts. */
export interface LeaseOptions extends OwnerOption {
  /** The time that the lease lasts, counted from when the store has the call, in milliseconds: 1,000 to 3,600,000. */
  readonly leaseMs: number;
}

/** Options of a claim. */
export interface ClaimOptions extends LeaseOptions {
  /**
   * Names the claim, so that you can send it again: while the lease that it got runs, the same key gets that lease, with the same
   * fence and end. 1 to 128 printable ASCII characters. Core itself sends the claim again for up to 10 s if its answer is lost.
   * @defaultValue a new random key
   * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * The worker's name, which snapshots of the run show while the worker has it: 1 to 100 characters, none of them a control character.
   * @defaultValue `null`: no name
   * @see clause W44 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly worker?: string | null | undefined;
}

/** A worker's lease on a run. @see `RunEvents.claim` */
export interface Claim {
  /** Pass it to every append, renewal and release. */
  readonly fence: number;
  /** When the lease expires, by the store's clock: ISO 8601 with milliseconds. */
  readonly expiresAt: string;
}

export function claimOf({
  fence,
  leaseExpiresAtMs,
}: Pick<LeasedRun, "fence" | "leaseExpiresAtMs">): Claim {
  return { fence, expiresAt: encodeTime(leaseExpiresAtMs) };
}

/** The calls for leases: who may write to a run, and until when. Each is as the call of `RunEvents` with its name. */
export interface Leases {
  /** Claims a run. @returns the run, with its lease */
  claim(runId: string, options: ClaimOptions): Promise<LeasedRun>;
  /** Renews a lease: it lasts `leaseMs` from now. */
  renew(
    runId: string,
    fence: number,
    options: LeaseOptions,
  ): Promise<Pick<LeasedRun, "fence" | "leaseExpiresAtMs">>;
  /** Ends the lease. Idempotent. */
  release(runId: string, fence: number, options: OwnerOption): Promise<RunRecord>;
}

export function createLeases(calls: Pick<RunCalls, "claim" | "renew" | "release">): Leases {
  return {
    async claim(runId, options) {
      const { leaseMs, idempotencyKey } = options;
      const ownerId = ownerIdOf(options);
      checkRunId(runId);
      checkLease(leaseMs);
      const worker = checkWorkerName(options.worker);
      const claimKey = claimKeyOf(idempotencyKey);
      const request = { runId, ownerId, leaseMs, claimKey, worker };
      // A lease that was granted has an end.
      return granted(await calls.claim(request)).run as LeasedRun;
    },
    async renew(runId, fence, options) {
      const ownerId = ownerIdOf(options);
      checkRunId(runId);
      checkFence(fence);
      checkLease(options.leaseMs);
      const { leaseMs } = options;
      const { leaseExpiresAtMs } = granted(await calls.renew({ runId, ownerId, fence, leaseMs }));
      return { fence, leaseExpiresAtMs: Number(leaseExpiresAtMs) };
    },
    async release(runId, fence, options) {
      const ownerId = ownerIdOf(options);
      checkRunId(runId);
      checkFence(fence);
      return granted(await calls.release({ runId, ownerId, fence })).run;
    },
  };
}

/** @throws RunEventsError `invalid_request` unless a lease may be so long */
export function checkLease(leaseMs: number): void {
  const mistake = leaseMistake(leaseMs);
  if (mistake !== null) throw new RunEventsError("invalid_request", mistake);
}

/** Describes the fault of a lease's length; `null` if a lease may be so long. */
export function leaseMistake(leaseMs: unknown): string | null {
  const isLength =
    Number.isSafeInteger(leaseMs) &&
    (leaseMs as number) >= MIN_LEASE_MS &&
    (leaseMs as number) <= MAX_LEASE_MS;
  return isLength
    ? null
    : `Expected \`leaseMs\` to be an integer from ${MIN_LEASE_MS} to ${MAX_LEASE_MS}, got ${describeValue(leaseMs)}. It is in milliseconds.`;
}

/**
 * The key of a claim: the caller's, or a new one.
 * @throws RunEventsError `invalid_request` unless it is a key
 */
export function claimKeyOf(idempotencyKey: string | undefined): string {
  return idempotencyKey === undefined ? crypto.randomUUID() : parseIdempotencyKey(idempotencyKey);
}

function granted<Outcome extends { readonly outcome: "granted" }>(
  outcome: Outcome | LeaseRefusal,
): Outcome {
  if (outcome.outcome === "granted") return outcome;
  throw leaseError(outcome);
}

/** Why a run was not claimed, renewed or released, as an error. */
export function leaseError(outcome: LeaseRefusal): RunEventsError {
  switch (outcome.outcome) {
    case "not_found":
      return runNotFound();
    case "finished":
      return runFinished(outcome.runStatus, outcome.lastSequence);
    case "claimed":
      return claimedUntil(encodeTime(outcome.leaseExpiresAtMs));
    case "fenced":
      return runFenced();
  }
}

function claimedUntil(expiresAt: string): RunEventsError {
  return new RunEventsError(
    "claimed",
    `Expected a run without a worker, but another worker's lease lasts until ${expiresAt}, even if that worker was killed. Claim the run again then.`,
    { details: { expiresAt } },
  );
}

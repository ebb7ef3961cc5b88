import type { ClaimRequest, LeaseOutcome, ReleaseRequest, RenewRequest } from "./claims.ts";
import type { Rule } from "./decision.ts";
import {
  claimRule as claimOfHead,
  type LeaseRule,
  releaseRule as releaseOfHead,
  renewRule as renewOfHead,
} from "./plan-lease.ts";

/** The rule of a claim. @see clause S21 in `STORE.md` */
export const claimRule = (request: ClaimRequest): Rule<LeaseOutcome> =>
  leaseRule(claimOfHead(request));

/** The rule of a renewal. @see clause S21 in `STORE.md` */
export const renewRule = (request: RenewRequest): Rule<LeaseOutcome> =>
  leaseRule(renewOfHead(request));

/** The rule of a release. @see clause S21 in `STORE.md` */
export const releaseRule = (request: ReleaseRequest): Rule<LeaseOutcome> =>
  leaseRule(releaseOfHead(request));

function leaseRule(rule: LeaseRule): Rule<LeaseOutcome> {
  return ({ head, nowMs }) => {
    const { outcome, after } = rule(head, nowMs);
    return head === null || after === null
      ? { answer: outcome }
      : { answer: outcome, after: { ...head, ...after } };
  };
}

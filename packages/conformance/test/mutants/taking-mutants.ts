import type { Head, Plain, PlainLanding, RunEventStore } from "@tm/run-events-core/store";
import { headAfterPlain, landingOf } from "../../../core/src/rules/append-rule.ts";
import type { Decision } from "../../../core/src/rules/decision.ts";
import { changeAlone, headOf, plainAlone, plainsEach } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";

/** Commits a plain append to any run that exists, no matter what it is like. */
function force(data: RunEventStore, plain: Plain): Promise<PlainLanding | null> {
  const { idempotencyKey, events, ownerId, runId } = plain;
  return changeAlone(data, {
    ownerId,
    runId,
    decide({ head, nowMs }): Decision<PlainLanding | null> {
      if (head === null) return { answer: null };
      const after = headAfterPlain(head, plain, nowMs);
      const landing = landingOf(after, plain);
      const receipts = idempotencyKey === null ? [] : [{ idempotencyKey, ...landing }];
      return { answer: landing, after, events, receipts };
    },
  });
}

/** Also takes the plain appends to a running run for which `takes` holds. */
function alsoTakes(takes: (head: Head, plain: Plain) => boolean): DataFault {
  return (data) =>
    plainsEach(async (plain) => {
      const landing = await plainAlone(data, plain);
      const head = landing === null ? await headOf(data, plain) : null;
      return head?.runStatus === "running" && takes(head, plain) ? force(data, plain) : landing;
    });
}

const isRenewal = ({ events }: Plain): boolean => events.length === 0;
const isOlder = (head: Head, { fence }: Plain): boolean => fence !== null && fence < head.fence;
const isReleased = (head: Head): boolean => head.leaseExpiresAtMs === null;

/** Stores that take for plain what is not. */
export const takingFaults: Faults = {
  "S5 takes a plain append whose expected sequence is another": alsoTakes(
    (head, { expectedSequence, idempotencyKey, fence }) =>
      idempotencyKey === null &&
      fence === (isReleased(head) ? null : head.fence) &&
      expectedSequence !== head.lastSequence,
  ),
  "S5 takes a plain append without a fence to a claimed run": alsoTakes(
    (_, { fence, idempotencyKey }) => fence === null && idempotencyKey === null,
  ),
  "S5 takes a plain append under an older fence": alsoTakes(
    (head, plain) => !isRenewal(plain) && isOlder(head, plain),
  ),
  "S5 takes a plain append under the fence of a lease that was released": alsoTakes(
    (head, plain) => !isRenewal(plain) && isReleased(head) && plain.fence === head.fence,
  ),
  "S21 renews under an older fence": alsoTakes(
    (head, plain) => isRenewal(plain) && isOlder(head, plain),
  ),
  "S21 renews a lease that was released": alsoTakes(
    (head, plain) => isRenewal(plain) && isReleased(head),
  ),
  "S23 renews a lease for less than the index of due runs knows": alsoTakes(
    (head, plain) => isRenewal(plain) && plain.fence === head.fence,
  ),
};

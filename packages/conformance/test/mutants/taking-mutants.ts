import {
  type Head,
  type Plain,
  type PlainLanding,
  type RunEventStore,
} from "@tm/run-events-core/store";
import { headAfterPlain, landingOf } from "../../../core/src/rules/append-rule.ts";
import type { Decision } from "../../../core/src/rules/decision.ts";
import { changeAlone, headOf, plainAlone, plainsEach } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

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

/** A store that also takes such plain appends. */
function alsoTakes(
  takes: (head: Head, plain: Plain) => boolean,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    ...plainsEach(async (plain) => {
      const landing = await plainAlone(data, plain);
      const head = landing === null ? await headOf(data, plain) : null;
      return head !== null && takes(head, plain) ? force(data, plain) : landing;
    }),
  });
}

const isRenewal = ({ events }: Plain): boolean => events.length === 0;
const isRunning = ({ runStatus }: Head): boolean => runStatus === "running";

/** Stores that take for plain what is not. */
export const takingMutants: readonly Mutant[] = [
  {
    name: "takes a plain append whose expected sequence is another",
    clause: "S5",
    data: alsoTakes(
      (head, { expectedSequence, idempotencyKey, fence }) =>
        isRunning(head) &&
        idempotencyKey === null &&
        fence === (head.leaseExpiresAtMs === null ? null : head.fence) &&
        expectedSequence !== head.lastSequence,
    ),
  },
  {
    name: "takes a plain append without a fence to a claimed run",
    clause: "S5",
    data: alsoTakes(
      (head, { fence, idempotencyKey }) =>
        isRunning(head) && fence === null && idempotencyKey === null,
    ),
  },
  {
    name: "takes a plain append under an older fence",
    clause: "S5",
    data: alsoTakes(
      (head, plain) =>
        isRunning(head) && !isRenewal(plain) && plain.fence !== null && plain.fence < head.fence,
    ),
  },
  {
    name: "takes a plain append under the fence of a lease that was released",
    clause: "S5",
    data: alsoTakes(
      (head, plain) =>
        isRunning(head) &&
        !isRenewal(plain) &&
        head.leaseExpiresAtMs === null &&
        plain.fence === head.fence,
    ),
  },
  {
    name: "renews under an older fence",
    clause: "S21",
    data: alsoTakes(
      (head, plain) =>
        isRunning(head) && isRenewal(plain) && plain.fence !== null && plain.fence < head.fence,
    ),
  },
  {
    name: "renews a lease that was released",
    clause: "S21",
    data: alsoTakes(
      (head, plain) => isRunning(head) && isRenewal(plain) && head.leaseExpiresAtMs === null,
    ),
  },
  {
    name: "renews a lease for less than the index of due runs knows",
    clause: "S23",
    data: alsoTakes(
      (head, plain) => isRunning(head) && isRenewal(plain) && plain.fence === head.fence,
    ),
  },
];

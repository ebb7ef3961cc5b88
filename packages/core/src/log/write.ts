import { type Plain, type PlainLanding, plainOf, appendRule } from "../rules/append-rule.ts";
import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type { Rule } from "../rules/decision.ts";
import type { RunName } from "../rules/head.ts";
import type { SentCall } from "./send-again.ts";
import { eventBytes } from "../rules/page.ts";

export interface Write<Answer = unknown> extends RunName {
  /** The plain case, which the store is asked to take first, and its answer; `null` if only the rule can decide. */
  readonly plain: {
    readonly request: Plain;
    readonly answerOf: (landing: PlainLanding) => Answer;
  } | null;
  readonly rule: Rule<Answer>;
  /** The idempotency keys, the topic and the metadata that the rule has to see. */
  readonly keys: readonly string[];
  readonly topic: string | null;
  readonly wantsMetadata: boolean;
  /** Whether the write may be sent again while it is in doubt whether it landed. */
  readonly mayRepeat: boolean;
  /** The bytes that it brings: payloads or metadata. */
  readonly weight: number;
  /** Its kind, for telemetry. */
  readonly call: SentCall;
}

/** A write that only its rule decides. */
export function ruledWrite<Answer>(
  { ownerId, runId }: RunName,
  rule: Rule<Answer>,
  needs: Partial<Pick<Write, "topic" | "wantsMetadata" | "weight" | "call">> = {},
): Write<Answer> {
  return {
    ownerId,
    runId,
    plain: null,
    rule,
    keys: [],
    topic: null,
    wantsMetadata: false,
    mayRepeat: true,
    weight: eventBytes(0),
    call: "change",
    ...needs,
  };
}

/** An append as a write. */
export function appendWrite(request: AppendRequest & RunName): Write<AppendOutcome> {
  const { events, idempotencyKey } = request;
  const plain = plainOf(request);
  return {
    ...ruledWrite(request, appendRule(request)),
    plain: plain && { request: plain, answerOf: outcomeOf },
    keys: idempotencyKey === null ? [] : [idempotencyKey],
    mayRepeat: idempotencyKey !== null,
    call: "append",
    weight: events.reduce((bytes, { payload }) => bytes + eventBytes(payload.length), 0),
  };
}

function outcomeOf(landing: PlainLanding): AppendOutcome {
  const { firstSequence, lastSequence, runStatus, phase } = landing;
  return { outcome: "appended", firstSequence, lastSequence, runStatus, phase };
}

import { type Plain, type PlainLanding, plainOf, appendRule } from "../rules/append-rule.ts";
import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type { Rule } from "../rules/decision.ts";
import type { RunName } from "../rules/head.ts";
import type { SentCall } from "./send-again.ts";
import { eventBytes } from "../rules/page.ts";

/** A write on its way to the store. */
export interface Write<Answer = unknown> extends RunName {
  /** The plain case, which the store is asked to take first; `null` if only the rule can decide. */
  readonly plain: Plain | null;
  /** What the plain case answers. Called only with a `plain`. */
  answerOf(landing: PlainLanding): Answer;
  readonly rule: Rule<Answer>;
  /** The idempotency keys, the topic and the metadata that the rule has to see. */
  readonly keys: readonly string[];
  readonly topic: string | null;
  readonly wantsMetadata: boolean;
  /** Whether the write may be sent again while it is in doubt whether it landed. */
  readonly mayRepeat: boolean;
  /** What it brings, in bytes: payloads or metadata. */
  readonly weight: number;
  /** What it is, for telemetry. */
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
    answerOf() {
      throw new TypeError("Expected a write that is not plain to be decided by its rule.");
    },
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
  return {
    ...ruledWrite(request, appendRule(request)),
    plain: plainOf(request),
    answerOf({ firstSequence, lastSequence, runStatus, phase }) {
      return { outcome: "appended", firstSequence, lastSequence, runStatus, phase };
    },
    keys: idempotencyKey === null ? [] : [idempotencyKey],
    mayRepeat: idempotencyKey !== null,
    call: "append",
    weight: events.reduce((bytes, { payload }) => bytes + eventBytes(payload.length), 0),
  };
}

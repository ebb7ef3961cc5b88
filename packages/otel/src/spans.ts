import { context, SpanKind, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";
import type { Diagnostic, Telemetry } from "@tm/run-events-core/store";
import {
  LAST_SEQUENCE,
  MESSAGE_COUNT,
  OPERATION_NAME,
  OPERATION_TYPE,
  outcomeAttributes,
  RUN_ID,
  SYSTEM,
} from "./names.ts";
import { spanContextIn } from "./traceparent.ts";

type Append = Extract<Diagnostic, { readonly type: "append" }>;
type Outcome = Extract<Diagnostic, { readonly type: "work_ended" }>["outcome"];

/**
 * Makes the span of an append, once the append has its answer. Its parent is the span in which the caller appended. It need not begin
 * earlier, since it cannot have children: one call of the store has the appends of many callers.
 */
export function recordAppend(
  tracer: Tracer,
  { runId, events, ms, outcome, lastSequence }: Append,
): void {
  const isError = outcome !== "appended" && outcome !== "replayed";
  const endTime = Date.now();
  const span = tracer.startSpan("run_events.append", {
    kind: SpanKind.PRODUCER,
    startTime: endTime - ms,
    attributes: {
      ...SYSTEM,
      [OPERATION_TYPE]: "send",
      [OPERATION_NAME]: "append",
      [MESSAGE_COUNT]: events,
      [RUN_ID]: runId,
      ...(lastSequence !== null && { [LAST_SEQUENCE]: lastSequence }),
      ...outcomeAttributes(outcome, isError),
    },
  });
  if (isError) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endTime);
}

/**
 * Makes a span around each worker's work. The task runs in it, so the agent's own spans are its children. It links to the span that
 * created the run, and is no child of that span, which may have ended long ago. A run may also be worked on more than once.
 */
export function spansOfWork(tracer: Tracer): NonNullable<Telemetry["aroundWork"]> {
  return ({ runId, lastSequence, metadata }, begin) => {
    const creator = spanContextIn(metadata());
    const span = tracer.startSpan("run_events.work", {
      kind: SpanKind.CONSUMER,
      links: creator === null ? [] : [{ context: creator }],
      attributes: {
        ...SYSTEM,
        [OPERATION_TYPE]: "process",
        [OPERATION_NAME]: "work",
        [RUN_ID]: runId,
        [LAST_SEQUENCE]: lastSequence,
      },
    });
    const ended = context.with(trace.setSpan(context.active(), span), begin);
    void ended.then(({ outcome }) => {
      const isError = isFailure(outcome);
      span.setAttributes(outcomeAttributes(outcome, isError));
      if (isError) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
  };
}

/** Whether the work has failed. A cancelled or parked run is no failure. */
export function isFailure(outcome: Outcome): boolean {
  return outcome === "failed" || outcome === "lost" || outcome === "left";
}

import {
  createTraceState,
  isSpanContextValid,
  type Span,
  type SpanContext,
  trace,
} from "@opentelemetry/api";

/** W3C Trace Context. Only a later version may add parts. */
const TRACEPARENT = /^(?!ff|00-.{52}-)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

/**
 * Adds the trace context of a span to the metadata of a run, as `traceparent` and `tracestate` of W3C. The span of the run's work then
 * links to that span. Without a valid span the metadata stays as it is.
 * @param metadata an object
 * @param span the span in which the run is created
 * @defaultValue `span`: the active one
 *
 * @example
 * await runs.create({ ownerId: "ada", metadata: withTraceparent({ title: "Tea" }) });
 */
export function withTraceparent<Metadata extends object>(
  metadata: Metadata,
  span: Span | undefined = trace.getActiveSpan(),
): Metadata & { readonly traceparent?: string; readonly tracestate?: string } {
  const context = span?.spanContext();
  if (context === undefined || !isSpanContextValid(context)) return metadata;
  const { traceId, spanId, traceFlags } = context;
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  const tracestate = context.traceState?.serialize() ?? "";
  return { ...metadata, traceparent, ...(tracestate !== "" && { tracestate }) };
}

/**
 * The trace context in a run's metadata; `null` without a valid one. Never throws: the creator of the run may be anyone, and may have
 * sent any JSON.
 */
export function spanContextIn(metadata: unknown): SpanContext | null {
  if (typeof metadata !== "object" || metadata === null || !("traceparent" in metadata))
    return null;
  const { traceparent } = metadata;
  if (typeof traceparent !== "string") return null;
  const [, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(traceparent) ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  if (!isSpanContextValid(context)) return null;
  return "tracestate" in metadata && typeof metadata.tracestate === "string"
    ? { ...context, traceState: createTraceState(metadata.tracestate) }
    : context;
}

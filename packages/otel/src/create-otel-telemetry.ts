import { metrics, type MeterProvider, trace, type TracerProvider } from "@opentelemetry/api";
import type { Telemetry } from "@tm/run-events-core/store";
import { createRecorder } from "./metrics.ts";
import { recordAppend, spansOfWork } from "./spans.ts";

/** Settings of {@link createOtelTelemetry}. */
export interface OtelOptions {
  /**
   * The provider of the tracer that makes the spans.
   * @defaultValue the global provider of `@opentelemetry/api`
   */
  readonly tracerProvider?: TracerProvider;
  /**
   * The provider of the meter that records the metrics.
   * @defaultValue the global provider of `@opentelemetry/api`
   */
  readonly meterProvider?: MeterProvider;
  /**
   * Whether each append has a span. Set it to `false` if an agent appends single tokens. The metrics still count appends.
   * @defaultValue `true`
   */
  readonly appendSpans?: boolean;
}

const SCOPE = "@tm/run-events-otel";

/**
 * Makes the telemetry of a log for OpenTelemetry: spans of appends and of work, and metrics of all diagnostics. It uses only the API, so
 * an SDK has to record them. Set the SDK up before this call: otherwise its metrics are lost.
 *
 * @example
 * const runs = createRunEvents({ store, telemetry: createOtelTelemetry() });
 */
export function createOtelTelemetry(options: OtelOptions = {}): Telemetry {
  const { tracerProvider = trace, meterProvider = metrics, appendSpans = true } = options;
  const tracer = tracerProvider.getTracer(SCOPE);
  const record = createRecorder(meterProvider.getMeter(SCOPE));
  return {
    onDiagnostic(diagnostic) {
      record(diagnostic);
      if (appendSpans && diagnostic.type === "append") recordAppend(tracer, diagnostic);
    },
    aroundWork: spansOfWork(tracer),
  };
}

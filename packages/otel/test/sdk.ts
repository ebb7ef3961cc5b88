import { context, type Span, trace, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  DataPointType,
  MeterProvider,
  type MetricData,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Telemetry } from "@tm/run-events-core/store";
import { afterAll, beforeAll } from "vitest";
import { createOtelTelemetry, type OtelOptions } from "../src/index.ts";

/** A reader that collects only when a test asks. */
class TestReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** One value of a metric: the sum of a counter, or how often a histogram was recorded. */
interface Point {
  readonly attributes: object;
  readonly value: number;
}

/** The real SDK of OpenTelemetry, in memory. */
export interface Sdk {
  readonly telemetry: Telemetry;
  readonly tracer: Tracer;
  /** The spans that have ended, in order. */
  spans(name?: string): readonly ReadableSpan[];
  /** Runs the work in a span, and ends the span. */
  within<Value>(name: string, work: (span: Span) => Promise<Value>): Promise<Value>;
  /** All metrics that have a value. */
  metrics(): Promise<readonly MetricData[]>;
  /** The values of one metric; none if it has not been recorded. */
  points(name: string): Promise<readonly Point[]>;
  /** The sum of these values. */
  total(name: string): Promise<number>;
}

/** Sets the SDK up, without its globals. */
export function createSdk(options: OtelOptions = {}): Sdk {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const reader = new TestReader();
  const meterProvider = new MeterProvider({ readers: [reader] });
  const tracer = tracerProvider.getTracer("test");

  async function metrics(): Promise<readonly MetricData[]> {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) throw new AggregateError(errors, "The metrics could not be collected.");
    return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  }
  async function points(name: string): Promise<readonly Point[]> {
    const found = (await metrics()).find(({ descriptor }) => descriptor.name === name);
    if (found === undefined) return [];
    if (found.dataPointType === DataPointType.HISTOGRAM)
      return found.dataPoints.map(({ attributes, value }) => ({ attributes, value: value.count }));
    return found.dataPoints.map(({ attributes, value }) => ({ attributes, value: Number(value) }));
  }

  return {
    telemetry: createOtelTelemetry({ tracerProvider, meterProvider, ...options }),
    tracer,
    spans: (name) =>
      exporter.getFinishedSpans().filter((span) => name === undefined || span.name === name),
    async within(name, work) {
      const span = tracer.startSpan(name);
      try {
        return await context.with(trace.setSpan(context.active(), span), () => work(span));
      } finally {
        span.end();
      }
    },
    metrics,
    points,
    async total(name) {
      return (await points(name)).reduce((sum, { value }) => sum + value, 0);
    },
  };
}

/** Keeps the active span through `await` in the tests of a file, as the SDK for Node does. */
export function useContexts(): void {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  afterAll(() => context.disable());
}

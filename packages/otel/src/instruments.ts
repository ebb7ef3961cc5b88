import type { Attributes, Meter } from "@opentelemetry/api";

/** In seconds: the bounds that OpenTelemetry advises for messaging, and two smaller ones. An append to a fast disk takes less than 5 ms. */
const SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/** A metric. A duration or a size is a histogram. A count only grows. The value of an `active` metric rises and falls. */
export type Metric = readonly [
  kind: "duration" | "size" | "count" | "active",
  /** After `run_events.`. */
  name: string,
  unit: string,
  description: string,
];

/** Records a value. A duration is in milliseconds. */
export type Instrument = (value: number, attributes?: Attributes) => void;

/** Makes the metrics of a meter, by their keys. */
export function createInstruments<Key extends string>(
  meter: Meter,
  all: Readonly<Record<Key, Metric>>,
): Readonly<Record<Key, Instrument>> {
  const entries = Object.entries<Metric>(all).map(([key, metric]) => [
    key,
    createInstrument(meter, metric),
  ]);
  return Object.fromEntries(entries) as Record<Key, Instrument>;
}

function createInstrument(meter: Meter, [kind, suffix, unit, description]: Metric): Instrument {
  const name = `run_events.${suffix}`;
  if (kind === "duration" || kind === "size") {
    const isDuration = kind === "duration";
    const advice = { explicitBucketBoundaries: isDuration ? SECONDS : SIZES };
    const histogram = meter.createHistogram(name, { description, unit, advice });
    const scale = isDuration ? 1_000 : 1;
    return (value, attributes) => histogram.record(value / scale, attributes);
  }
  const counter =
    kind === "count"
      ? meter.createCounter(name, { description, unit })
      : meter.createUpDownCounter(name, { description, unit });
  return (value, attributes) => counter.add(value, attributes);
}

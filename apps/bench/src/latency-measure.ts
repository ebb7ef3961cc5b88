import type { Child } from "./child.ts";
import type { LatencyReaders } from "./latency-readers.ts";
import type { LatencyAppender, LatencyLoad, Moment } from "./latency-server.ts";
import type { Figure } from "./report.ts";

/** From the beginning of an append to its event's last byte at a reader, over all receipts of a round, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** A process that appends, and the live readers of it or of another one on the same log. */
export interface LatencySubject {
  readonly appends: Child<LatencyAppender>;
  readonly readers: Child<LatencyReaders>;
  /** The name of its readers. */
  readonly group: string;
  readonly readerCount: number;
}

/** One round. @throws unless every reader has every event once and in order */
export async function measureLatency(
  { appends, readers, group, readerCount }: LatencySubject,
  load: LatencyLoad,
): Promise<Latency> {
  const begun = await appends.call("append", load);
  const beganAt = new Map(begun.map(({ sequence, atMs }) => [sequence, atMs]));
  const receipts = await readers.call("receipts", { group, sequence: Math.max(...beganAt.keys()) });
  if (beganAt.size !== load.appends || receipts.length !== load.appends * readerCount) {
    throw new Error(
      `${group}: of ${load.appends} events ${beganAt.size} were appended and ${receipts.length} received.`,
    );
  }
  const times = receipts.map(({ sequence, atMs }: Moment) => atMs - (beganAt.get(sequence) ?? NaN));
  times.sort((a, b) => a - b);
  const percentile = (part: number): number =>
    times[Math.ceil(part * times.length) - 1] ?? Number.NaN;
  return { p50: percentile(0.5), p99: percentile(0.99) };
}

/** Both percentiles as rows of the table. */
export function latencyFigures(name: string, latencies: readonly Latency[]): readonly Figure[] {
  return [
    { name: `${name}: p50`, unit: "ms", values: latencies.map(({ p50 }) => p50) },
    { name: `${name}: p99`, unit: "ms", values: latencies.map(({ p99 }) => p99) },
  ];
}

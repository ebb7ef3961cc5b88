import type { Telemetry } from "@tm/run-events-core/store";
import type { HandlerStats } from "@tm/run-events-http/node";
import { DiagnosticCounts } from "./diagnostic-counts.ts";
import { counter, family, gauge } from "./prometheus-text.ts";
import type { StoreHealth } from "./store-monitor.ts";

/** The server's counts, as Prometheus reads them. They listen to the telemetry of its log. @see clause W30 in `WIRE.md` */
export interface Metrics extends Required<Pick<Telemetry, "onDiagnostic">> {
  /** Call it when an answer has ended, or its client has gone. */
  countRequest(status: number): void;
  /** Call it when a connection was closed without an answer, since too many were open. */
  countDropped(): void;
  /** Prometheus text, format 0.0.4. */
  encode(): string;
}

/** Counts of other parts, read when the metrics are. */
export interface MetricsSources {
  readonly handler: () => HandlerStats;
  readonly store: () => StoreHealth;
  /** The size of a SQLite database's `-wal` file in bytes; `null` without one. */
  readonly walBytes: () => number | null;
  /** Whether the server removes old runs. */
  readonly purges: boolean;
}

/** Counts from the start of the process. */
export function createMetrics(sources: MetricsSources): Metrics {
  const requests = new Map<number, number>();
  const diagnostics = new DiagnosticCounts(sources.purges);
  let dropped = 0;
  let memory = process.memoryUsage();

  /** The memory in use; the last known value if no descriptor is free, since reading it takes one. */
  function readMemory(): NodeJS.MemoryUsage {
    try {
      memory = process.memoryUsage();
    } catch {
      // No descriptor was free. The other metrics say more about that than no answer would.
    }
    return memory;
  }

  return {
    onDiagnostic: (diagnostic) => diagnostics.add(diagnostic),
    countDropped: () => void (dropped += 1),
    countRequest: (status) => void requests.set(status, (requests.get(status) ?? 0) + 1),
    encode: () =>
      [
        ...encodeProcess(readMemory()),
        ...encodeHandler(sources.handler()),
        ...family(
          "run_events_http_requests_total",
          "counter",
          "Requests answered, by status.",
          [...requests].map(([status, value]) => ({ labels: { status: `${status}` }, value })),
        ),
        ...diagnostics.encode(),
        ...counter(
          "run_events_connections_dropped_total",
          "Connections closed without an answer, since too many were open.",
          dropped,
        ),
        ...encodeStore(sources),
        "",
      ].join("\n"),
  };
}

function encodeProcess(memory: NodeJS.MemoryUsage): readonly string[] {
  const { user, system } = process.cpuUsage();
  const startedAt = Date.now() / 1_000 - process.uptime();
  return [
    ...counter(
      "process_cpu_seconds_total",
      "CPU time of the process, in seconds.",
      (user + system) / 1e6,
    ),
    ...gauge("process_resident_memory_bytes", "Resident memory, in bytes.", memory.rss),
    ...gauge(
      "process_start_time_seconds",
      "Start of the process, in seconds since 1970.",
      Math.round(startedAt * 1_000) / 1_000,
    ),
    ...gauge("nodejs_heap_used_bytes", "JavaScript heap in use, in bytes.", memory.heapUsed),
  ];
}

function encodeHandler({ streams, waiting, inFlight }: HandlerStats): readonly string[] {
  return [
    ...gauge("run_events_streams_open", "Live streams that are open.", streams.open),
    ...counter("run_events_streams_opened_total", "Live streams opened.", streams.opened),
    ...family(
      "run_events_streams_ended_total",
      "counter",
      "Live streams ended, by their reason.",
      Object.entries(streams.ended).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    ...gauge("run_events_long_polls_waiting", "Polls that wait for a newer event.", waiting),
    ...gauge(
      "run_events_requests_in_flight",
      "Requests that are being answered.",
      inFlight.requests,
    ),
    ...gauge(
      "run_events_bytes_in_flight",
      "Bytes of bodies and answers in memory.",
      inFlight.bodyBytes + inFlight.answerBytes,
    ),
  ];
}

function encodeStore({ store, walBytes }: MetricsSources): readonly string[] {
  const { stalledBy, probeMs, stalls } = store();
  const logBytes = walBytes();
  return [
    ...gauge(
      "run_events_store_ready",
      "1 while an append could land, else 0.",
      stalledBy === null ? 1 : 0,
    ),
    ...gauge(
      "run_events_store_probe_seconds",
      "Duration of the latest probe of the store, in seconds.",
      Math.round(probeMs * 1_000) / 1e6,
    ),
    ...counter(
      "run_events_store_stalls_total",
      "Stalls: periods in which no append could land.",
      stalls,
    ),
    ...(logBytes === null
      ? []
      : gauge(
          "run_events_store_wal_bytes",
          "Size of the -wal file of SQLite, in bytes.",
          logBytes,
        )),
  ];
}

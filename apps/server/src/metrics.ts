import type { HandlerStats } from "@tm/run-events-http/node";
import type { StoreHealth } from "./store-monitor.ts";

/** The server's counts, as Prometheus reads them. @see clause W30 in `WIRE.md` */
export interface Metrics {
  /** Call it when an answer has ended, or its client has gone. */
  countRequest(status: number): void;
  /** Call it when runs were ended because their leases had expired. */
  countExpired(runs: number): void;
  /** Call it when old runs were removed. */
  countPurged(runs: number): void;
  countUpkeepFailure(): void;
  /** Call it when a connection was closed without an answer, since too many were open. */
  countDropped(): void;
  /** Prometheus text, format 0.0.4. */
  encode(): string;
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts of other parts, read when the metrics are. */
export interface MetricsSources {
  readonly handler: () => HandlerStats;
  readonly store: () => StoreHealth;
  /** The size of a SQLite database's `-wal` file in bytes; `null` without one. */
  readonly walBytes: () => number | null;
}

/** Counts from the start of the process. */
export function createMetrics(sources: MetricsSources): Metrics {
  const requests = new Map<number, number>();
  const counts = { expired: 0, purged: 0, upkeepFailures: 0, dropped: 0 };
  return {
    countDropped: () => void (counts.dropped += 1),
    countExpired: (runs) => void (counts.expired += runs),
    countPurged: (runs) => void (counts.purged += runs),
    countUpkeepFailure: () => void (counts.upkeepFailures += 1),
    countRequest: (status) => void requests.set(status, (requests.get(status) ?? 0) + 1),
    encode: () =>
      [
        ...encodeProcess(),
        ...encodeHandler(sources.handler()),
        ...family(
          "run_events_http_requests_total",
          "counter",
          "Requests answered, by status.",
          [...requests].map(([status, value]) => ({ labels: { status: `${status}` }, value })),
        ),
        ...counter(
          "run_events_runs_expired_total",
          "Runs ended because no worker worked on them.",
          counts.expired,
        ),
        ...counter(
          "run_events_runs_purged_total",
          "Finished runs removed at their retention time.",
          counts.purged,
        ),
        ...counter(
          "run_events_upkeep_failures_total",
          "Rounds of the upkeep, reaps and purges, that failed.",
          counts.upkeepFailures,
        ),
        ...counter(
          "run_events_connections_dropped_total",
          "Connections closed without an answer, since too many were open.",
          counts.dropped,
        ),
        ...encodeStore(sources),
        "",
      ].join("\n"),
  };
}

function encodeProcess(): readonly string[] {
  const { user, system } = process.cpuUsage();
  const memory = process.memoryUsage();
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
    ...gauge("run_events_uploads_open", "NDJSON uploads under way.", inFlight.uploads),
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

function counter(name: string, help: string, value: number): readonly string[] {
  return family(name, "counter", help, [{ value }]);
}

function gauge(name: string, help: string, value: number): readonly string[] {
  return family(name, "gauge", help, [{ value }]);
}

function family(
  name: string,
  type: "counter" | "gauge",
  help: string,
  samples: readonly Sample[],
): readonly string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels = {}, value }) => `${name}${encodeLabels(labels)} ${value}`),
  ];
}

/** Label values here are codes and numbers, which need no escaping. */
function encodeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

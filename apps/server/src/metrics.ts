import type { HandlerStats } from "@tm/run-events-http/node";
import type { StoreHealth } from "./store-monitor.ts";

/** What the server counts, as Prometheus reads it. @see W30 */
export interface Metrics {
  /** An answer has ended, or its client has gone. */
  countRequest(status: number): void;
  /** Runs were ended since their leases had run out. */
  countExpired(runs: number): void;
  /** Runs were removed for their age. */
  countPurged(runs: number): void;
  countUpkeepFailure(): void;
  /** A connection was closed unanswered, since there were too many. */
  countDropped(): void;
  /** Prometheus text, format 0.0.4. */
  encode(): string;
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the counts are read from when they are asked for. */
export interface MetricsSources {
  readonly handler: () => HandlerStats;
  readonly store: () => StoreHealth;
  /** The size of the log beside a database file in bytes; `null` where there is none. */
  readonly walBytes: () => number | null;
}

/** Counts from the start of the process. */
export function createMetrics(sources: MetricsSources): Metrics {
  const requests = new Map<number, number>();
  let expired = 0;
  let purged = 0;
  let upkeepFailures = 0;
  let dropped = 0;
  return {
    countDropped: () => void (dropped += 1),
    countExpired: (runs) => void (expired += runs),
    countPurged: (runs) => void (purged += runs),
    countUpkeepFailure: () => void (upkeepFailures += 1),
    countRequest: (status) => void requests.set(status, (requests.get(status) ?? 0) + 1),
    encode() {
      const { streams, waiting, inFlight } = sources.handler();
      const { user, system } = process.cpuUsage();
      const memory = process.memoryUsage();
      const startedAt = Date.now() / 1_000 - process.uptime();
      return [
        ...family("process_cpu_seconds_total", "counter", "CPU time used.", [
          { value: (user + system) / 1e6 },
        ]),
        ...family("process_resident_memory_bytes", "gauge", "Memory held.", [
          { value: memory.rss },
        ]),
        ...family("process_start_time_seconds", "gauge", "Start, in seconds since 1970.", [
          { value: Math.round(startedAt * 1_000) / 1_000 },
        ]),
        ...family("nodejs_heap_used_bytes", "gauge", "JavaScript heap in use.", [
          { value: memory.heapUsed },
        ]),
        ...family("run_events_streams_open", "gauge", "Live streams that are open.", [
          { value: streams.open },
        ]),
        ...family("run_events_streams_opened_total", "counter", "Live streams opened.", [
          { value: streams.opened },
        ]),
        ...family(
          "run_events_streams_ended_total",
          "counter",
          "Live streams ended, by the way they ended.",
          Object.entries(streams.ended).map(([reason, value]) => ({ labels: { reason }, value })),
        ),
        ...family("run_events_long_polls_waiting", "gauge", "Polls held until there is news.", [
          { value: waiting },
        ]),
        ...family("run_events_requests_in_flight", "gauge", "Requests that are being answered.", [
          { value: inFlight.requests },
        ]),
        ...family("run_events_uploads_open", "gauge", "Uploads of lines that go on.", [
          { value: inFlight.uploads },
        ]),
        ...family("run_events_bytes_in_flight", "gauge", "Bytes of bodies and answers held.", [
          { value: inFlight.bodyBytes + inFlight.answerBytes },
        ]),
        ...family(
          "run_events_http_requests_total",
          "counter",
          "Requests answered, by status.",
          [...requests].map(([status, value]) => ({ labels: { status: `${status}` }, value })),
        ),
        ...family("run_events_runs_expired_total", "counter", "Runs ended by the reaper.", [
          { value: expired },
        ]),
        ...family("run_events_runs_purged_total", "counter", "Runs removed for their age.", [
          { value: purged },
        ]),
        ...family("run_events_upkeep_failures_total", "counter", "Reaps and purges that failed.", [
          { value: upkeepFailures },
        ]),
        ...family(
          "run_events_connections_dropped_total",
          "counter",
          "Connections closed unanswered, since there were too many.",
          [{ value: dropped }],
        ),
        ...encodeStore(sources),
        "",
      ].join("\n");
    },
  };
}

function encodeStore({ store, walBytes }: MetricsSources): readonly string[] {
  const { stalledBy, probeMs, stalls } = store();
  const logBytes = walBytes();
  return [
    ...family("run_events_store_ready", "gauge", "1 while an append could land, else 0.", [
      { value: stalledBy === null ? 1 : 0 },
    ]),
    ...family(
      "run_events_store_probe_seconds",
      "gauge",
      "How long the latest write to try the store took.",
      [{ value: Math.round(probeMs * 1_000) / 1e6 }],
    ),
    ...family("run_events_store_stalls_total", "counter", "Times when no append could land.", [
      { value: stalls },
    ]),
    ...(logBytes === null
      ? []
      : family("run_events_store_wal_bytes", "gauge", "Size of the -wal beside the database.", [
          { value: logBytes },
        ])),
  ];
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

/** Label values here are codes and numbers, so none needs escaping. */
function encodeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

import type { HandlerStats } from "@tm/run-events-http/node";

/** What the server counts, as Prometheus reads it. @see W30 */
export interface Metrics {
  /** An answer has ended, or its client has gone. */
  countRequest(status: number): void;
  /** Runs were ended since their leases had run out. */
  countExpired(runs: number): void;
  /** Runs were removed for their age. */
  countPurged(runs: number): void;
  countUpkeepFailure(): void;
  /** Prometheus text, format 0.0.4. */
  encode(): string;
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts from the start of the process. */
export function createMetrics(stats: () => HandlerStats): Metrics {
  const requests = new Map<number, number>();
  let expired = 0;
  let purged = 0;
  let upkeepFailures = 0;
  return {
    countExpired: (runs) => void (expired += runs),
    countPurged: (runs) => void (purged += runs),
    countUpkeepFailure: () => void (upkeepFailures += 1),
    countRequest: (status) => void requests.set(status, (requests.get(status) ?? 0) + 1),
    encode() {
      const { streams, waiting } = stats();
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
        "",
      ].join("\n");
    },
  };
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

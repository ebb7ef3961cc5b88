import type { Diagnostic, Telemetry } from "@tm/run-events-core/store";
import type { HandlerStats } from "@tm/run-events-http/node";
import type { StoreHealth } from "./store-monitor.ts";

/** Counts of other parts, read when the metrics are. */
export interface MetricsSources {
  readonly handler: () => HandlerStats;
  readonly store: () => StoreHealth;
  /** The size of a SQLite database's `-wal` file in bytes; `null` without one. */
  readonly walBytes: () => number | null;
  /** Whether the server removes old runs. */
  readonly purges: boolean;
}

/**
 * A metric: its help, its value, and the label whose texts are the keys of several values. `null` leaves the metric out. The name of one
 * that only grows ends in `_total`.
 */
type Metric = readonly [
  help: string,
  value: number | Readonly<Record<string, number>> | null,
  label?: string,
];

/** The server's counts from the start of the process, for Prometheus. They listen to the telemetry of its log. @see clause W30 in `WIRE.md` */
export class Metrics implements Required<Pick<Telemetry, "onDiagnostic">> {
  readonly #sources: MetricsSources;
  readonly #requests: Record<string, number> = {};
  readonly #appends: Record<string, number> = {};
  #memory = process.memoryUsage();
  #dropped = 0;
  #appendMs = 0;
  #resends = 0;
  #expired = 0;
  #purged = 0;
  /** The time at which a purge last left nothing to remove, by `performance.now()`; before the first such purge, the time of the start. */
  #purgedAt = performance.now();
  #upkeepFailures = 0;
  /** `null` for a store that has no connection for notifications. */
  #isUp: boolean | null = null;
  #losses = 0;
  #missed = 0;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
  }

  /** Call it when an answer has ended, or its client has gone. */
  countRequest(status: number): void {
    countIn(this.#requests, `${status}`);
  }

  /** Call it when a connection was closed without an answer, since too many were open. */
  countDropped(): void {
    this.#dropped += 1;
  }

  /** Counts it, unless the handler or the HTTP server counts the same. */
  readonly onDiagnostic = (diagnostic: Diagnostic): void => {
    const { type } = diagnostic;
    if (type === "append") {
      countIn(this.#appends, diagnostic.outcome);
      this.#appendMs += diagnostic.ms;
    } else if (type === "resend") {
      this.#resends += diagnostic.sends;
    } else if (type === "reap" || type === "purge") {
      const { runs, outcome } = diagnostic;
      if (type === "reap") this.#expired += runs;
      else this.#purged += runs;
      if (outcome !== "done") this.#upkeepFailures += 1;
      else if (type === "purge" && runs === 0) this.#purgedAt = performance.now();
    } else if (type === "notifications_up") {
      this.#isUp = true;
    } else if (type === "notifications_down") {
      this.#isUp = false;
      if (diagnostic.reason === "lost") this.#losses += 1;
    } else if (type === "notification_missed") {
      this.#missed += diagnostic.runs;
    }
  };

  /** Prometheus text, format 0.0.4. */
  encode(): string {
    const metrics = { ...this.#ofProcess(), ...this.#ofHandler(), ...this.#ofStore() };
    return `${Object.entries(metrics).flatMap(encodeMetric).join("\n")}\n`;
  }

  #ofProcess(): Readonly<Record<string, Metric>> {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = this.#readMemory();
    const startedAt = Math.round(Date.now() - process.uptime() * 1_000) / 1_000;
    return {
      process_cpu_seconds_total: ["CPU time of the process, in seconds.", (user + system) / 1e6],
      process_resident_memory_bytes: ["Resident memory, in bytes.", rss],
      process_start_time_seconds: ["Start of the process, in seconds since 1970.", startedAt],
      nodejs_heap_used_bytes: ["JavaScript heap in use, in bytes.", heapUsed],
    };
  }

  #ofHandler(): Readonly<Record<string, Metric>> {
    const { streams, waiting, inFlight } = this.#sources.handler();
    const bytes = inFlight.bodyBytes + inFlight.answerBytes;
    return {
      run_events_streams_open: ["Live streams that are open.", streams.open],
      run_events_streams_opened_total: ["Live streams opened.", streams.opened],
      run_events_streams_ended_total: [
        "Live streams ended, by their reason.",
        streams.ended,
        "reason",
      ],
      run_events_long_polls_waiting: ["Polls that wait for a newer event.", waiting],
      run_events_requests_in_flight: ["Requests that are being answered.", inFlight.requests],
      run_events_bytes_in_flight: ["Bytes of bodies and answers in memory.", bytes],
      run_events_http_requests_total: ["Requests answered, by status.", this.#requests, "status"],
      run_events_connections_dropped_total: [
        "Connections closed without an answer, since too many were open.",
        this.#dropped,
      ],
    };
  }

  #ofStore(): Readonly<Record<string, Metric>> {
    const { store, walBytes, purges } = this.#sources;
    const { stalledBy, probeMs, stalls } = store();
    const behindMs = purges ? performance.now() - this.#purgedAt : 0;
    return {
      run_events_appends_total: ["Appends answered, by their outcome.", this.#appends, "outcome"],
      run_events_append_seconds_total: [
        "Time of all appends, from the call to the answer, in seconds.",
        Math.round(this.#appendMs * 1_000) / 1e6,
      ],
      run_events_resends_total: [
        "Calls of the store that were sent again, since their answer was lost.",
        this.#resends,
      ],
      run_events_runs_expired_total: [
        "Runs ended because no worker worked on them.",
        this.#expired,
      ],
      run_events_runs_purged_total: [
        "Finished runs removed at their retention time.",
        this.#purged,
      ],
      run_events_purge_behind_seconds: [
        "Time since a purge last left no run past its retention time, or since the start, in seconds.",
        Math.round(behindMs) / 1_000,
      ],
      run_events_upkeep_failures_total: [
        "Rounds of the upkeep, reaps and purges, that failed.",
        this.#upkeepFailures,
      ],
      run_events_notifications_up: [
        "1 while the store's connection for notifications works, else 0.",
        this.#isUp === null ? null : Number(this.#isUp),
      ],
      run_events_notifications_lost_total: [
        "Losses of the store's connection for notifications.",
        this.#losses,
      ],
      run_events_notifications_missed_total: [
        "Changes of followed runs that came without a notification.",
        this.#missed,
      ],
      run_events_store_ready: ["1 while an append could land, else 0.", Number(stalledBy === null)],
      run_events_store_probe_seconds: [
        "Duration of the latest probe of the store, in seconds.",
        Math.round(probeMs * 1_000) / 1e6,
      ],
      run_events_store_stalls_total: ["Stalls: periods in which no append could land.", stalls],
      run_events_store_wal_bytes: ["Size of the -wal file of SQLite, in bytes.", walBytes()],
    };
  }

  /** The memory in use; the last known value if no descriptor is free, since reading it takes one. */
  #readMemory(): NodeJS.MemoryUsage {
    try {
      this.#memory = process.memoryUsage();
    } catch {
      // Without free descriptors this fails. The other metrics are still answered, since they show the lack.
    }
    return this.#memory;
  }
}

function countIn(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** Label values here are codes and numbers, which need no escaping. */
function encodeMetric([name, [help, value, label]]: readonly [string, Metric]): readonly string[] {
  if (value === null) return [];
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}`,
    ...(typeof value === "number"
      ? [`${name} ${value}`]
      : Object.entries(value).map(([text, count]) => `${name}{${label}="${text}"} ${count}`)),
  ];
}

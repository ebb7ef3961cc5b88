import type { Diagnostic } from "@tm/run-events-core/store";
import { counter, family, gauge } from "./prometheus-text.ts";

/** Counts of the diagnostics of the server's log, store and handler. */
export class DiagnosticCounts {
  /**
   * The time at which a purge last left no run that was due, by `performance.now()`; until then, the time of the start. `null` if runs
   * are kept for ever.
   */
  #purgedAt: number | null;
  readonly #appends = new Map<string, number>();
  #appendMs = 0;
  #resends = 0;
  #expired = 0;
  #purged = 0;
  #upkeepFailures = 0;
  /** `null` for a store that has no connection for notifications. */
  #isUp: boolean | null = null;
  #losses = 0;
  #missed = 0;

  /** @param purges whether the server removes old runs */
  constructor(purges: boolean) {
    this.#purgedAt = purges ? performance.now() : null;
  }

  /** Counts it, unless the handler or the HTTP server counts the same. */
  add(diagnostic: Diagnostic): void {
    const { type } = diagnostic;
    if (type === "append") {
      this.#appends.set(diagnostic.outcome, (this.#appends.get(diagnostic.outcome) ?? 0) + 1);
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
  }

  encode(): readonly string[] {
    return [
      ...family(
        "run_events_appends_total",
        "counter",
        "Appends answered, by their outcome.",
        [...this.#appends].map(([outcome, value]) => ({ labels: { outcome }, value })),
      ),
      ...counter(
        "run_events_append_seconds_total",
        "Time of all appends, from the call to the answer, in seconds.",
        Math.round(this.#appendMs * 1_000) / 1e6,
      ),
      ...counter(
        "run_events_resends_total",
        "Calls of the store that were sent again, since their answer was lost.",
        this.#resends,
      ),
      ...counter(
        "run_events_runs_expired_total",
        "Runs ended because no worker worked on them.",
        this.#expired,
      ),
      ...counter(
        "run_events_runs_purged_total",
        "Finished runs removed at their retention time.",
        this.#purged,
      ),
      ...gauge(
        "run_events_purge_behind_seconds",
        "Time since a purge last left no run past its retention time, or since the start, in seconds.",
        this.#purgedAt === null ? 0 : Math.round(performance.now() - this.#purgedAt) / 1_000,
      ),
      ...counter(
        "run_events_upkeep_failures_total",
        "Rounds of the upkeep, reaps and purges, that failed.",
        this.#upkeepFailures,
      ),
      ...this.#encodeNotifications(),
    ];
  }

  #encodeNotifications(): readonly string[] {
    return [
      ...(this.#isUp === null
        ? []
        : gauge(
            "run_events_notifications_up",
            "1 while the store's connection for notifications works, else 0.",
            this.#isUp ? 1 : 0,
          )),
      ...counter(
        "run_events_notifications_lost_total",
        "Losses of the store's connection for notifications.",
        this.#losses,
      ),
      ...counter(
        "run_events_notifications_missed_total",
        "Changes of followed runs that came without a notification.",
        this.#missed,
      ),
    ];
  }
}

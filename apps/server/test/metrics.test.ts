import type { Diagnostic } from "@tm/run-events-core/store";
import { expect, it, onTestFinished, vi } from "vitest";
import { quietMetrics } from "./quiet-metrics.ts";

/** The lines with values, after these diagnostics. */
function countsOf(...diagnostics: readonly Diagnostic[]): readonly string[] {
  const counts = quietMetrics(false);
  for (const diagnostic of diagnostics) counts.onDiagnostic(diagnostic);
  const lines = counts.encode().split("\n");
  return lines.filter((line) => line.startsWith("run_events_"));
}

const APPEND = { type: "append", runId: "r", events: 2, ms: 12, lastSequence: 2 } as const;

it("W30: appends are counted by their outcome, with their time, and calls that were sent again", () => {
  const lines = countsOf(
    { ...APPEND, outcome: "appended" },
    { ...APPEND, outcome: "appended" },
    { ...APPEND, outcome: "fenced", lastSequence: null },
    { type: "resend", call: "append", sends: 3, ms: 100, outcome: "answered" },
  );
  expect(lines).toContain('run_events_appends_total{outcome="appended"} 2');
  expect(lines).toContain('run_events_appends_total{outcome="fenced"} 1');
  expect(lines).toContain("run_events_append_seconds_total 0.036");
  expect(lines).toContain("run_events_resends_total 3");
});

it("W30: the connection for notifications is shown once there is one, with its losses", () => {
  const up = { type: "notifications_up", downMs: null } as const;
  const down = { type: "notifications_down", reason: "lost" } as const;
  const shown = (...diagnostics: readonly Diagnostic[]): readonly string[] =>
    countsOf(...diagnostics).filter((line) => line.includes("notifications_"));
  const [lost, missed] = [
    "run_events_notifications_lost_total",
    "run_events_notifications_missed_total",
  ];
  expect(shown()).toEqual([`${lost} 0`, `${missed} 0`]);
  expect(shown(up)).toEqual(["run_events_notifications_up 1", `${lost} 0`, `${missed} 0`]);
  expect(shown(up, down)).toEqual(["run_events_notifications_up 0", `${lost} 1`, `${missed} 0`]);
  expect(shown(up, down, up, { type: "notification_missed", foundBy: "poll", runs: 2 })).toEqual([
    "run_events_notifications_up 1",
    `${lost} 1`,
    `${missed} 2`,
  ]);
});

it("W30: the metrics show how long the purge has been behind: since the last purge that left none, or since the start", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const counts = quietMetrics(true);
  const behind = (): number =>
    Number(/^run_events_purge_behind_seconds (.+)$/m.exec(counts.encode())?.[1]);
  const purge = { type: "purge", runs: 0, ms: 5, outcome: "done" } as const;
  vi.advanceTimersByTime(1_500);
  expect(behind()).toBe(1.5);
  counts.onDiagnostic({ ...purge, runs: 100 });
  counts.onDiagnostic({ ...purge, outcome: "store_unavailable" });
  counts.onDiagnostic({ ...purge, type: "reap" });
  expect(behind()).toBe(1.5);
  counts.onDiagnostic(purge);
  expect(behind()).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(behind()).toBe(60);
  expect(countsOf()).toContain("run_events_purge_behind_seconds 0");
});

it("W30: what the handler counts itself is not counted again", () => {
  expect(countsOf({ type: "stream_opened" }, { type: "tail_opened", runId: "r" })).toEqual(
    countsOf(),
  );
});

it("W30: a count only grows, and any other value is a gauge", () => {
  const text = quietMetrics(false).encode();
  expect(text).toContain("\n# TYPE run_events_appends_total counter\n");
  expect(text).toContain("\n# TYPE run_events_store_ready gauge\nrun_events_store_ready 1\n");
});

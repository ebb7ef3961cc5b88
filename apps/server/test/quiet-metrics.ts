import { Metrics } from "../src/metrics.ts";

/** Metrics of a server on which nothing happens but what a test reports. */
export function quietMetrics(purges: boolean): Metrics {
  const inFlight = { requests: 0, bodyBytes: 0, answerBytes: 0 };
  return new Metrics({
    handler: () => ({ streams: { open: 0, opened: 0, ended: {} }, waiting: 0, inFlight }),
    store: () => ({ stalledBy: null, probeMs: 0, stalls: 0 }),
    walBytes: () => null,
    purges,
  });
}

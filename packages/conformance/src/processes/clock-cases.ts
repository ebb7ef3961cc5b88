import type { ProcessCase } from "./process-case.ts";

const HOUR_MS = 3_600_000;

/** The cases about the store's clock, in an order in which they can share one place. */
const BY_CLOCK = [
  "S21 a lease ends leaseMs after its claim or renewal, by the clock that stamps events",
  "S24 the time since a run finished is counted by the store's clock, to the millisecond",
  "S23 listExpired lists the runs whose lease has expired, and no others",
  "S28 a queued run is idle since its creation, any other since its last event or the release of its last lease",
];

/** Cases of S21, S23, S24 and S28 in `STORE.md`: all times of a store are of one clock, no matter how the clock of a process is set. */
export const clockCases: readonly ProcessCase[] = [
  ["ahead", HOUR_MS] as const,
  ["slow", -HOUR_MS] as const,
].map(([where, clockAheadMs]) => ({
  name: `S21 in a process whose clock is an hour ${where}, leases and ages are measured by the clock that stamps events`,
  async run({ crew }) {
    const worker = await crew.start({ clockAheadMs });
    await worker.call("runCases", { names: BY_CLOCK });
  },
}));

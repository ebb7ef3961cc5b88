import type { ProcessCase } from "./process-case.ts";

const HOUR_MS = 3_600_000;

/** Cases about the store's clock, in an order in which they can share one place. */
interface Clocked {
  readonly clause: string;
  /** What holds by the store's clock, no matter how the clock of the process is set. */
  readonly what: string;
  readonly names: readonly string[];
}

const CLOCKED: readonly Clocked[] = [
  {
    clause: "S21",
    what: "leases and ages are measured by the clock that stamps events",
    names: [
      "S21 a lease ends leaseMs after its claim or renewal, by the clock that stamps events",
      "S24 the time since a run finished is counted by the store's clock, to the millisecond",
      "S23 each run is in the list of the one thing that it waits for",
    ],
  },
  {
    clause: "S21",
    what: "the place of a topic is taken while its run is live, and then free",
    names: ["S21 the place is free the moment its run ends, however that ends"],
  },
  {
    clause: "S21",
    what: "the lease of a new run is measured by the clock that stamps events",
    names: [
      "S21 a new run is under its lease from the first moment, and takes appends of that fence only",
      "S21 the lease of a new run expires, and the run is then found among the expired ones",
    ],
  },
];

/**
 * Cases of S21 and S23 to S21 in `STORE.md`: all times of a store are of one clock, no matter how the clock of a process is
 * set.
 */
export const clockCases: readonly ProcessCase[] = [
  ["ahead", HOUR_MS] as const,
  ["behind", -HOUR_MS] as const,
].flatMap(([where, clockAheadMs]) =>
  CLOCKED.map(({ clause, what, names }) => ({
    name: `${clause} in a process whose clock is an hour ${where}, ${what}`,
    async run({ crew }) {
      const worker = await crew.start({ clockAheadMs });
      await worker.call("runCases", { names });
    },
  })),
);

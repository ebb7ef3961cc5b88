import type { Figure } from "./report.ts";

/** The cost of a piece of work in the process under test. */
export interface Cost {
  /** The number of units of work that were done. */
  readonly units: number;
  readonly wallMicros: number;
  /** User and system time of the whole process. */
  readonly cpuMicros: number;
}

/** A reading of a process's clocks; the difference of two is a cost. */
export type Usage = Omit<Cost, "units">;

/** Reads this process's clocks. */
export function readUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return { wallMicros: performance.now() * 1_000, cpuMicros: user + system };
}

/** A process that reads its clocks. */
interface Metered {
  call(name: "usage"): Promise<Usage>;
}

/** Measures work in another process. The wall time is by that process's own clock. */
export async function costOf(
  process: Metered,
  units: number,
  work: () => Promise<unknown>,
): Promise<Cost> {
  const before = await process.call("usage");
  await work();
  const after = await process.call("usage");
  return {
    units,
    wallMicros: after.wallMicros - before.wallMicros,
    cpuMicros: after.cpuMicros - before.cpuMicros,
  };
}

/**
 * Measures the subjects in turns, A B A B …, so that other work of the machine affects them alike. A first round, not
 * counted, warms them up.
 * @returns what was measured of each subject, once a round
 */
export async function takeTurns<Name extends string, Measured = Cost>(
  rounds: number,
  subjects: Readonly<Record<Name, () => Promise<Measured>>>,
): Promise<Readonly<Record<Name, readonly Measured[]>>> {
  const turns = Object.entries<() => Promise<Measured>>(subjects);
  const measured = Object.fromEntries(turns.map(([name]) => [name, [] as Measured[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measureOnce] of turns) {
      const result = await measureOnce();
      if (round > 0) measured[name]?.push(result);
    }
  }
  return measured as Record<Name, Measured[]>;
}

/** Microseconds of processor time a unit of work. */
export function cpuMicros(costs: readonly Cost[]): readonly number[] {
  return costs.map((cost) => cost.cpuMicros / cost.units);
}

/** Microseconds a unit of work, as a clock on the wall sees it. */
export function wallMicros(costs: readonly Cost[]): readonly number[] {
  return costs.map((cost) => cost.wallMicros / cost.units);
}

/** The processor time of a subject as a row of the table. */
export function cpuFigure(name: string, unit: string, costs: readonly Cost[]): Figure {
  return { name: `${name}, CPU`, unit: `µs/${unit}`, values: cpuMicros(costs) };
}

/** Both costs of a subject as rows of the table. */
export function costFigures(name: string, unit: string, costs: readonly Cost[]): Figure[] {
  return [
    { name: `${name}, wall`, unit: `µs/${unit}`, values: wallMicros(costs) },
    cpuFigure(name, unit, costs),
  ];
}

/** Round by round, the one over the other: what moved the whole machine in a round moves both and falls out. */
export function ratios(over: readonly number[], under: readonly number[]): readonly number[] {
  return over.map((value, round) => value / (under[round] ?? Number.NaN));
}

/** What a section measured: one value a round. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
}

/** A figure with a bound that `--check` holds its median to. */
export interface Target extends Figure {
  readonly bound: number;
  readonly kind: "at least" | "at most";
}

/** The outcome of one section. */
export interface Report {
  readonly figures: readonly Figure[];
  readonly targets: readonly Target[];
  /** What a reader of the figures has to know. */
  readonly notes: readonly string[];
}

/** How much a section does. */
export interface Scale {
  /** Only prove that the section works: its figures say nothing. */
  readonly quick: boolean;
  /** How often each subject is measured. */
  readonly rounds: number;
}

/** One question, answered by measuring. */
export interface Section {
  readonly name: string;
  readonly question: string;
  run(scale: Scale): Promise<Report>;
}

/** The middle value, or the mean of the two in the middle; `NaN` of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? Number.NaN;
  return Number.isInteger(half) ? (upper + (sorted[half - 1] ?? Number.NaN)) / 2 : upper;
}

/** Whether the median keeps the bound. */
export function isMet(target: Target): boolean {
  const value = median(target.values);
  return target.kind === "at least" ? value >= target.bound : value <= target.bound;
}

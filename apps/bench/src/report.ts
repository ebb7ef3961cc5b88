/** A measurement of a section: one value a round. With a bound, `--check` holds the median to it. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** The size of a section's work. */
export interface Scale {
  /** Only prove that the section works: its figures say nothing. */
  readonly quick: boolean;
  /** The number of times that each subject is measured. */
  readonly rounds: number;
}

/** One question, answered by measuring. */
export interface Section {
  readonly name: string;
  readonly question: string;
  /** @param scope ends the processes, servers and folders of the section */
  run(scale: Scale, scope: AsyncDisposableStack): Promise<readonly Figure[]>;
}

/** The middle value, or the mean of the two in the middle; `NaN` of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? Number.NaN;
  return Number.isInteger(half) ? (upper + (sorted[half - 1] ?? Number.NaN)) / 2 : upper;
}

/** Whether the median keeps the bounds. */
export function isMet({
  values,
  atMost = Number.POSITIVE_INFINITY,
  atLeast = Number.NEGATIVE_INFINITY,
}: Figure): boolean {
  const value = median(values);
  return atLeast <= value && value <= atMost;
}

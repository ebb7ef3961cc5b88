/** In which order calls begin and end. */
export class Moments {
  #now = 0;
  readonly #ends = new Map<string, number>();

  /** The next moment. */
  next(): number {
    this.#now += 1;
    return this.#now;
  }

  /** Notes that a run has ended, by a call that began at this moment. */
  ended(runId: string, began: number): void {
    this.#ends.set(runId, began);
  }

  /** When the call began that ended the run, the last time if its id was used again. */
  endOf(runId: string): number {
    return this.#ends.get(runId) ?? 0;
  }
}

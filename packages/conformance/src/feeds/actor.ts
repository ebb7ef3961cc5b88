/** One that takes turns: a step at a time, which may go on while others have their turn. */
export interface Actor {
  /** Whether it has a step left. */
  hasNext(): boolean;
  /** Takes its next step. */
  next(): Promise<void>;
}

/** Actors on their way. */
export class Actors {
  readonly #actors: readonly Actor[];
  readonly #busy = new Map<Actor, Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(actors: readonly Actor[]) {
    this.#actors = actors;
  }

  /** Gives an actor its turn, unless it is still busy or has no step left. */
  turn(at: number): void {
    const actor = this.#actors[at % this.#actors.length];
    if (actor === undefined || this.#busy.has(actor) || !actor.hasNext()) return;
    const step = actor.next().then(
      () => {},
      (error: unknown) => void (this.#failure ??= { error }),
    );
    this.#busy.set(
      actor,
      step.then(() => void this.#busy.delete(actor)),
    );
  }

  /**
   * Gives turns until no actor has a step left. A step may wait for one of another actor, so no step is waited for alone.
   * @throws what a step threw
   */
  async finish(): Promise<void> {
    for (;;) {
      this.#actors.forEach((_, at) => this.turn(at));
      if (this.#busy.size === 0) break;
      await Promise.race(this.#busy.values());
    }
    if (this.#failure !== null) throw this.#failure.error;
  }
}

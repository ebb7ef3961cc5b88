import type { EventMap, TypedEvent } from "../typed/event-map.ts";
import type { RunStore } from "./run-store.ts";
import type { Store } from "./run-view.ts";

/**
 * Makes the next value of a fold.
 * @returns a new value, or the same one if the event does not change it. It must not change the old one
 */
export type Reducer<Value, M extends EventMap = EventMap> = (
  value: Value,
  event: TypedEvent<M>,
) => Value;

/** Folds a run's events into one value, each event once. */
export class RunFold<Value, M extends EventMap> implements Store<Value> {
  /** The reducer of the events to come. */
  reducer: Reducer<Value, M>;
  readonly #store: RunStore<M>;
  readonly #first: Value;
  #value: Value;
  /** The number of the store's events that have been folded. */
  #folded = 0;

  constructor(store: RunStore<M>, initial: Value, reducer: Reducer<Value, M>) {
    this.#store = store;
    this.#value = initial;
    this.reducer = reducer;
    this.#first = this.#fold(store.getFirstSnapshot().events);
  }

  get subscribe(): Store<Value>["subscribe"] {
    return this.#store.subscribe;
  }

  /** The value after the events that were known at first. */
  readonly getFirstSnapshot = (): Value => this.#first;

  /** The value after all events so far. Events are folded here, so that a fold that nothing shows costs nothing. */
  readonly getSnapshot = (): Value => this.#fold(this.#store.events);

  #fold(events: readonly unknown[]): Value {
    for (let event = events[this.#folded]; event !== undefined; event = events[this.#folded]) {
      this.#value = this.reducer(this.#value, event as TypedEvent<M>);
      this.#folded += 1;
    }
    return this.#value;
  }
}

import type { RunEventStore } from "@tm/run-events-core/store";
import type { StoreDoors } from "./doors.ts";
import { untilAborted } from "./until-aborted.ts";
import { within } from "./within.ts";

type Settled = PromiseSettledResult<void>;

/** The place of one case, and the store objects that are open there. Its end closes them, the newest first, and destroys the place. */
export class OpenPlace<Place> {
  readonly #doors: StoreDoors<Place>;
  readonly #signal: AbortSignal | undefined;
  readonly #stores: RunEventStore[] = [];
  /** Calls of `prepare` and `open` that may not have settled. */
  readonly #opening: Promise<unknown>[] = [];
  /** The value that `prepare` returned. */
  #prepared: { readonly place: Place } | null = null;
  /** From now on nothing is opened. */
  #isOver = false;

  constructor(doors: StoreDoors<Place>, signal: AbortSignal | undefined) {
    this.#doors = doors;
    this.#signal = signal;
  }

  /** Calls `prepare`, if it is given. */
  prepare(): Promise<Place> {
    return this.#during(async () => {
      // Without `prepare` the type of the place is `undefined`.
      const place = (await this.#doors.prepare?.()) as Place;
      this.#prepared = { place };
      return place;
    });
  }

  /** Another store object on the data of the place. */
  open(place: Place): Promise<RunEventStore> {
    return this.#during(async () => {
      const store = await this.#doors.open(place);
      this.#stores.push(store);
      return store;
    });
  }

  /** From now on nothing is opened here. */
  stop(): void {
    this.#isOver = true;
  }

  /** Ends everything, also what is only opening. @returns the result of each step */
  async end(): Promise<readonly Settled[]> {
    this.stop();
    await this.#end(async () => void (await Promise.allSettled(this.#opening)));
    const outcomes: Settled[] = [];
    for (const store of this.#stores.toReversed()) {
      outcomes.push(await this.#end(() => store.close()));
    }
    const prepared = this.#prepared;
    if (prepared === null) return outcomes;
    return [...outcomes, await this.#end(async () => this.#doors.destroy?.(prepared.place))];
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#requireTrial();
    const opening = work();
    this.#opening.push(opening);
    const opened = await opening;
    this.#requireTrial();
    return opened;
  }

  #requireTrial(): void {
    if (!this.#isOver) return;
    throw new TypeError(
      "Expected a trial that still runs, but it has ended. Await each call in the case.",
    );
  }

  /** A store that hung until its case was given up may also hang in `close`. A case may be given up while it ends. */
  async #end(step: () => Promise<void>): Promise<Settled> {
    const [settled] = await Promise.allSettled([this.#endStep(step)]);
    return settled;
  }

  async #endStep(step: () => Promise<void>): Promise<void> {
    const ending = (async () => step())();
    await Promise.allSettled([untilAborted(ending, this.#signal)]);
    return this.#signal?.aborted ? within(0, ending, "the end of a store") : ending;
  }
}

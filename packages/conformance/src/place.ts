import type { RunEventStore } from "@tm/run-events-core/store";
import type { StoreDoors } from "./doors.ts";
import { untilAborted } from "./until-aborted.ts";
import { within } from "./within.ts";

type Settled = PromiseSettledResult<void>;

/**
 * The place of one case, and the store objects that are open there. Its end closes them, the newest first, and destroys the place. A
 * store that opens later is closed too, and the place is destroyed after the last of them.
 */
export class OpenPlace<Place> {
  readonly #doors: StoreDoors<Place>;
  readonly #signal: AbortSignal | undefined;
  readonly #stores: RunEventStore[] = [];
  /** The value that `prepare` returned. */
  #prepared: { readonly place: Place } | null = null;
  /** The number of calls of `prepare` and `open` that have not settled. */
  #pending = 0;
  /** From now on nothing is opened. */
  #isOver = false;
  /** The stores are closed. */
  #isClosed = false;

  constructor(doors: StoreDoors<Place>, signal: AbortSignal | undefined) {
    this.#doors = doors;
    this.#signal = signal;
  }

  /** Calls `prepare`, if it is given. */
  async prepare(): Promise<Place> {
    return this.#during(async () => {
      // Without `prepare` the type of the place is `undefined`.
      const place = (await this.#doors.prepare?.()) as Place;
      this.#prepared = { place };
      if (this.#isOver) throw tooLate();
      return place;
    });
  }

  /** Another store object on the data of the place. */
  async open(place: Place): Promise<RunEventStore> {
    return this.#during(async () => {
      const store = await this.#doors.open(place);
      if (this.#isOver) {
        await this.#end(() => store.close());
        throw tooLate();
      }
      this.#stores.push(store);
      return store;
    });
  }

  /** From now on nothing is opened here. */
  stop(): void {
    this.#isOver = true;
  }

  /** Ends everything. @returns the result of each step */
  async end(): Promise<readonly Settled[]> {
    this.stop();
    const outcomes: Settled[] = [];
    for (const store of this.#stores.toReversed()) {
      outcomes.push(await this.#end(() => store.close()));
    }
    this.#isClosed = true;
    if (this.#pending === 0) outcomes.push(await this.#destroy());
    return outcomes;
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isOver) throw tooLate();
    this.#pending += 1;
    try {
      return await work();
    } finally {
      this.#pending -= 1;
      // The case is over, so a failure can no longer be reported.
      if (this.#isClosed && this.#pending === 0) await this.#destroy();
    }
  }

  async #destroy(): Promise<Settled> {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared === null) return { status: "fulfilled", value: undefined };
    return this.#end(async () => this.#doors.destroy?.(prepared.place));
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

function tooLate(): TypeError {
  return new TypeError(
    "Expected a trial that still runs, but it has ended. Await each call in the case.",
  );
}

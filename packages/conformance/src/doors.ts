import type { RunEventStore } from "@tm/run-events-core/store";

/** Functions that make and remove the place of a store's data. Each case gets its own place, in one process and in many. */
export interface PlaceDoors<Place> {
  /** Returns a place for a new, empty store that nothing else uses, such as a folder, or a URL and a schema. */
  readonly prepare: () => Place | Promise<Place>;
  /** Closes what you opened on a place, and removes its data. Called once for each place, after its stores are closed. */
  readonly destroy?: (place: NoInfer<Place>) => void | Promise<void>;
}

/** Functions with which the kit opens stores in its own process. */
export interface StoreDoors<Place = undefined> extends BeneathDoors<Place> {
  /** Returns a place for a new, empty store. Give it if and only if the data outlives the store object. */
  readonly prepare?: PlaceDoors<Place>["prepare"];
  /** Closes what you opened on a place, and removes its data. Called once for each place, after its stores are closed. */
  readonly destroy?: PlaceDoors<Place>["destroy"];
  /**
   * Returns a migrated store object on the data of a place. Called again for a place after its last object was closed. If
   * `capabilities.shared`, also called while that object is open.
   */
  readonly open: (place: NoInfer<Place>) => RunEventStore | Promise<RunEventStore>;
}

/**
 * Functions with which the kit looks inside a store, and damages what it depends on. Each is optional: without it, the cases that
 * need it are not in the list.
 */
export interface BeneathDoors<Place = undefined> {
  /**
   * Returns how many rows, keys or entries of runs the place has, by kind, such as `{ runs: 3, events: 12, keys: 2 }`. A row that is
   * there without any run, such as a counter, may count or not.
   */
  readonly leftovers?: (place: NoInfer<Place>) => Counts | Promise<Counts>;
  /** Returns what all calls of the stores on this place have cost so far. The kit compares before and after a call. */
  readonly cost?: (place: NoInfer<Place>) => Cost | Promise<Cost>;
  /** Removes a run's idempotency keys from the place, and nothing else, as an eviction may. */
  readonly loseReceipts?: (place: NoInfer<Place>, runId: string) => void | Promise<void>;
  /** Makes all that is stored on the place so many hours older: moves each time in it back by them. */
  readonly letHoursPass?: (place: NoInfer<Place>, hours: number) => void | Promise<void>;
  /**
   * Makes every write of this store object fail from now on: its disk is full or read-only, or its server is a replica. Other store
   * objects on the same data go on writing. If the server is a replica, it gets nothing of what they write.
   * @returns a function that lets the store object write again, and resolves when it can
   */
  readonly refuseWrites?: (
    place: NoInfer<Place>,
    store: RunEventStore,
  ) => Restore | Promise<Restore>;
}

/** Undoes the damage that a door did to a store. */
export type Restore = () => void | Promise<void>;

/** Counts, such as of rows, by the kind of what is counted. */
export type Counts = Readonly<Record<string, number>>;

/** The cost of calls, counted from any beginning. */
export interface Cost {
  /** The number of statements, commands or scripts that were sent. */
  readonly statements: number;
  /** The number of rows or entries that they read, where that is known. */
  readonly rows?: number;
}

/** The doors to the data of one case's store. `needs` of a case names which of them it uses. */
export interface Beneath {
  leftovers(): Promise<Counts>;
  cost(): Promise<Cost>;
  loseReceipts(runId: string): Promise<void>;
  letHoursPass(hours: number): Promise<void>;
  refuseWrites(store: RunEventStore): Promise<Restore>;
}

/** The doors to the data of one place. Those that were not given throw. */
export function beneathPlace<Place>(doors: BeneathDoors<Place>, place: Place): Beneath {
  const { leftovers, cost, loseReceipts, letHoursPass, refuseWrites } = doors;
  return {
    leftovers: async () => required(leftovers)(place),
    cost: async () => required(cost)(place),
    loseReceipts: async (runId) => required(loseReceipts)(place, runId),
    letHoursPass: async (hours) => required(letHoursPass)(place, hours),
    refuseWrites: async (store) => required(refuseWrites)(place, store),
  };
}

function required<Door>(door: Door | undefined): Door {
  if (door !== undefined) return door;
  throw new TypeError(
    "Expected a case to name in `needs` the door beneath the store that it uses.",
  );
}

import type { RunEventStore } from "@tm/run-events-core/store";

/** Where the data of a store is. Each case gets a place of its own, in one process and in many. */
export interface PlaceDoors<Place> {
  /** Makes a place for a new, empty store that nothing else uses, such as a folder, or a URL and a schema. */
  readonly prepare: () => Place | Promise<Place>;
  /** Called once for each place, after its stores were closed: closes what was opened there, and removes the data. */
  readonly destroy?: (place: NoInfer<Place>) => void | Promise<void>;
}

/** How the kit opens stores in its own process. */
export interface StoreDoors<Place = undefined>
  extends Partial<PlaceDoors<Place>>, BeneathDoors<Place> {
  /** As in `PlaceDoors`. Give it if and only if the data outlives the store object. */
  readonly prepare?: PlaceDoors<Place>["prepare"];
  /**
   * A migrated store object on the data of a place. Called again for a place after its last object was closed. If
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
   * How many rows, keys or entries the place has of runs, by kind, such as `{ runs: 3, events: 12, keys: 2 }`. What it has without
   * any run, such as a counter, may count or not.
   */
  readonly leftovers?: (place: NoInfer<Place>) => Counts | Promise<Counts>;
  /** What all calls of the stores on this place have cost so far. The kit compares before a call and after it. */
  readonly cost?: (place: NoInfer<Place>) => Cost | Promise<Cost>;
  /** Removes a run's idempotency keys from the place, as an accident may, and nothing else. */
  readonly loseReceipts?: (place: NoInfer<Place>, runId: string) => void | Promise<void>;
  /**
   * From now on every write of this store object fails: its disk is full or read-only, or its server is a replica. Other store
   * objects on the same data go on writing. If the server is a replica, it gets nothing of what they write.
   * @returns a function that lets the store object write again, and resolves when it can
   */
  readonly refuseWrites?: (
    place: NoInfer<Place>,
    store: RunEventStore,
  ) => Restore | Promise<Restore>;
}

/** Undoes what a door has done to a store. */
export type Restore = () => void | Promise<void>;

/** How many there are, by kind. */
export type Counts = Readonly<Record<string, number>>;

/** What calls cost, counted from any beginning. */
export interface Cost {
  /** How many statements, commands or scripts were sent. */
  readonly statements: number;
  /** How many rows or entries were looked at for them, where that can be known. */
  readonly rows?: number;
}

/** The doors to the data of one case's store. `needs` of a case names which of them it uses. */
export interface Beneath {
  leftovers(): Promise<Counts>;
  cost(): Promise<Cost>;
  loseReceipts(runId: string): Promise<void>;
  refuseWrites(store: RunEventStore): Promise<Restore>;
}

/** The doors to the data of one place. Those that were not given throw. */
export function beneathPlace<Place>(doors: BeneathDoors<Place>, place: Place): Beneath {
  const { leftovers, cost, loseReceipts, refuseWrites } = doors;
  return {
    leftovers: async () => required(leftovers)(place),
    cost: async () => required(cost)(place),
    loseReceipts: async (runId) => required(loseReceipts)(place, runId),
    refuseWrites: async (store) => required(refuseWrites)(place, store),
  };
}

function required<Door>(door: Door | undefined): Door {
  if (door !== undefined) return door;
  throw new TypeError(
    "Expected a case to name in `needs` the door beneath the store that it uses.",
  );
}

import type { RunEventStore } from "@tm/run-events-core";

/** How the kit gets at stores. */
export interface StoreDoors {
  /** A fresh, empty store that nobody else uses. */
  readonly open: () => RunEventStore | Promise<RunEventStore>;
  /**
   * Another store object on the same data, after `store` was closed; where `capabilities.shared` also while it is open.
   * To be given exactly if the data outlives the store object.
   */
  readonly reopen?: (store: RunEventStore) => RunEventStore | Promise<RunEventStore>;
  /** Called once for each object that `open` or `reopen` gave, the youngest first, after it was closed. */
  readonly destroy?: (store: RunEventStore) => void | Promise<void>;
}

/** What one case works on. Everything it opens is closed and destroyed behind it. */
export interface Trial {
  /** Fresh and empty. */
  readonly store: RunEventStore;
  /** Whether a second object on the same data can be had. */
  readonly canReopen: boolean;
  /** The objects that may be open on the same data at once: two where `capabilities.shared`, else `store` alone. */
  stores(): Promise<readonly [RunEventStore, ...RunEventStore[]]>;
  /** Closes the youngest object and opens another on its data. */
  reopen(): Promise<RunEventStore>;
  /** Runs a body on a fresh store of its own, which is closed and destroyed behind it. */
  anew(body: (trial: Trial) => Promise<void>): Promise<void>;
}

/** One case before it knows its store. The name starts with the clause. */
export interface TrialCase {
  readonly name: string;
  readonly run: (trial: Trial) => Promise<void>;
}

/** Runs one body on a store of its own. */
export async function runTrial(
  doors: StoreDoors,
  body: (trial: Trial) => Promise<void>,
): Promise<void> {
  const { open, reopen, destroy } = doors;
  const store = await open();
  const opened: [RunEventStore, ...RunEventStore[]] = [store];

  async function another(): Promise<RunEventStore> {
    if (reopen === undefined) throw new TypeError("Expected `reopen` to be given.");
    const next = await reopen(opened.at(-1) ?? store);
    opened.push(next);
    return next;
  }

  const trial: Trial = {
    store,
    canReopen: reopen !== undefined,
    async stores() {
      return store.capabilities.shared ? [store, await another()] : [store];
    },
    async reopen() {
      await (opened.at(-1) ?? store).close();
      return another();
    },
    anew: (inner) => runTrial(doors, inner),
  };
  const outcomes: PromiseSettledResult<void>[] = await Promise.allSettled([body(trial)]);
  for (const one of opened.toReversed()) {
    for (const end of [async () => one.close(), async () => destroy?.(one)]) {
      outcomes.push(...(await Promise.allSettled([end()])));
    }
  }
  // The body's failure stands first: it says more than what it left behind.
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

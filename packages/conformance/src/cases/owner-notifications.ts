import { purgedIds } from "../lease.ts";
import type { Subscription } from "../core-calls.ts";
import fc from "fast-check";
import { appendRequest, event } from "../append-request.ts";
import { brokenIn } from "../assert.ts";
import { createRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { Trial, TrialCase } from "../trial.ts";
import { within } from "../within.ts";

/** The least time that a notification of an owner is given, in milliseconds. */
const LATEST_MS = 1_000;
const RUNS = 3;

/** A change of one run, through any of the store objects. */
interface Step {
  readonly what: "create" | "append" | "end" | "delete" | "purge";
  readonly run: number;
  readonly object: number;
}

const STEPS = fc.array(
  fc.record<Step>({
    what: fc.constantFrom("create", "create", "append", "append", "end", "delete", "purge"),
    run: fc.nat(RUNS - 1),
    object: fc.nat(3),
  }),
  { minLength: 2, maxLength: 10 },
);

/** Cases of S13 in `STORE.md`: a subscription to an owner names each run of the owner that changes. */
export const ownerNotifications: readonly TrialCase[] = [
  {
    name: "S13 a subscription to an owner names each of its runs that is created, appended to or removed, or says that any may have changed",
    async run(trial) {
      const stores = await trial.stores();
      const listeners = stores.map((store) => new OwnerListener(store, OWNER));
      await Promise.all(listeners.map((listener) => listener.ready));
      let programs = 0;
      await playSteps(trial, stores, listeners, () => `p${++programs}`);
      for (const listener of listeners) listener.stop();
    },
  },
];

async function playSteps(
  trial: Trial,
  stores: readonly KitStore[],
  listeners: readonly OwnerListener[],
  nextName: () => string,
): Promise<void> {
  await trial.check(
    STEPS,
    async (steps) => {
      const name = nextName();
      /** The notifications that each listener had before the last change of a run. */
      const changed = new Map<string, readonly number[]>();
      for (const { what, run, object } of steps) {
        const store = stores[object % stores.length] ?? trial.store;
        const heard = listeners.map((listener) => listener.heard);
        for (const runId of await perform(store, what, `${name}-${run}`)) changed.set(runId, heard);
      }
      for (const [runId, heard] of changed)
        await Promise.all(listeners.map((listener, at) => listener.notes(runId, heard[at] ?? 0)));
    },
    { kind: "games" },
  );
}

/** @returns the ids of the runs that it has changed */
async function perform(
  store: KitStore,
  what: Step["what"],
  runId: string,
): Promise<readonly string[]> {
  switch (what) {
    case "create": {
      if ((await store.getRun(runId)) !== null) return [];
      await createRun(store, runId);
      return [runId];
    }
    case "append":
    case "end": {
      const type = what === "end" ? "RUN_COMPLETED" : "TOKEN";
      // The first of the call is refused: whose run it is, only the others show.
      const strange = appendRequest(runId, [event(type)], { ownerId: "a stranger" });
      const [, own] = await store.append([strange, appendRequest(runId, [event(type)])]);
      return own?.outcome === "appended" ? [runId] : [];
    }
    case "delete":
      return (await store.deleteRun(runId)) === "deleted" ? [runId] : [];
    case "purge":
      return purgedIds(store, { finishedForMs: 0, limit: RUNS });
  }
}

/** A subscription to an owner, and what it was notified of. */
class OwnerListener {
  readonly #subscription: Subscription;
  readonly #lateMs: number;
  readonly #heard: (string | null)[] = [];
  #waits: (() => void)[] = [];

  constructor(store: KitStore, ownerId: string) {
    this.#lateMs = Math.max(LATEST_MS, store.capabilities.notifyWithinMs);
    this.#subscription = store.subscribe({ ownerId }, (runId) => {
      this.#heard.push(runId);
      for (const go of this.#waits.splice(0)) go();
    });
  }

  get ready(): Promise<void> {
    return within(this.#lateMs, this.#subscription.ready, "`ready` of the subscription");
  }

  /** The number of notifications so far. */
  get heard(): number {
    return this.#heard.length;
  }

  /**
   * Resolves once a notification after the first ones was of this run.
   * @throws Error when none comes
   */
  async notes(runId: string, after: number): Promise<void> {
    const what = `a notification of the owner for ${runId}`;
    try {
      await within(this.#lateMs, this.#until(runId, after), what);
    } catch (error) {
      throw brokenIn("S13", error);
    }
  }

  stop(): void {
    this.#subscription.stop();
  }

  async #until(runId: string, after: number): Promise<void> {
    while (!this.#heard.slice(after).some((one) => one === null || one === runId))
      await new Promise<void>((resolve) => this.#waits.push(resolve));
  }
}

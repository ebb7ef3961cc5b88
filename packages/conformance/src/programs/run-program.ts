import { isTerminal } from "@tm/run-events-core";
import { nameKey } from "@tm/run-events-core/store";
import { event, land } from "../append-request.ts";
import { assert } from "../assert.ts";
import type { KitStore } from "../kit-store.ts";
import { BY_OWNER, untilExpired } from "../lease.ts";
import { emptyModel, runOf, type StoreModel } from "../model/run-model.ts";
import { countNotifications } from "../notification-counter.ts";
import type { RaceOperation } from "../races/operation.ts";
import { RaceClient } from "../races/race-client.ts";
import type { RaceStep } from "../races/race.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";
import type { Program, ProgramStep } from "./program.ts";
import { RUNS } from "./program-arbitrary.ts";
import { spell } from "./spelling.ts";
import { notified, stop, type Watch } from "./watch.ts";

/** The store objects of a program, on the same data. */
export interface ProgramStores {
  /** The object that the next call goes through: each in turn, so that what one knows another has changed. */
  readonly next: () => KitStore;
  /** Closes one object and opens another in its place. */
  readonly reopen: () => Promise<void>;
}

/** The last steps of each program: a store that takes names for one another shows it in lists. */
const LISTS: readonly ProgramStep[] = [
  ...(["tea", "Tea", null] as const).map((topic) => ({ ownerId: "ada", topic })),
  { ownerId: "bob", topic: null },
].map((of) => ({ call: "listRuns", runStatus: null, ...of }));

/**
 * Runs a program, and holds each answer against the model.
 * @param prefix of every id and owner, so that many programs run on one store
 * @throws Error for an answer that is not the model's
 */
export async function runProgram(
  { spelling, steps }: Program,
  stores: ProgramStores,
  prefix: string,
): Promise<void> {
  const run = new ProgramRun(stores, prefix, spelling);
  try {
    for (const step of [...steps, ...LISTS]) await run.step(step);
  } finally {
    run.stopAll();
  }
  await run.endRuns();
}

class ProgramRun {
  readonly #stores: ProgramStores;
  readonly #spelling: string;
  readonly #client: RaceClient;
  readonly #operations: RaceOperation[] = [];
  readonly #model: StoreModel = emptyModel();
  /** Also those that were stopped. */
  readonly #watches: Watch[] = [];

  constructor(stores: ProgramStores, prefix: string, spelling: string) {
    let instant = 0;
    this.#stores = stores;
    this.#spelling = spelling;
    const runIds = spell(
      RUNS.map((runId) => ({ runId })),
      spelling,
    ).map(({ runId }) => runId);
    this.#client = new RaceClient("1", eachThrough(stores.next), {
      prefix,
      runIds,
      now: () => (instant += 1),
      mayRepeat: false,
      operations: this.#operations,
    });
  }

  step(step: ProgramStep): Promise<void> {
    const spelled = spell(step, this.#spelling);
    return notified(this.#model, this.#watches, () => this.#perform(spelled));
  }

  /** Stops all subscriptions. */
  stopAll(): void {
    for (const watch of this.#watches) stop(watch);
  }

  /** Nothing is left whose lease could still expire, so that lists of such runs stay short. */
  async endRuns(): Promise<void> {
    for (const { record } of this.#model.runs.values()) {
      if (isTerminal(record.runStatus)) continue;
      const { runId, ownerId } = record;
      await land(this.#stores.next(), runId, [event("RUN_CANCELLED")], { ...BY_OWNER, ownerId });
    }
  }

  async #perform(step: ProgramStep): Promise<void> {
    const { next, reopen } = this.#stores;
    if (step.call === "subscribe") return this.#subscribe(step);
    if (step.call === "probe") return this.#probe();
    if (step.call === "tick") return void (await untilStoreTime(next(), await storeNow(next())));
    if (step.call === "stop") {
      const watch = this.#watches.find(({ silentAt }) => silentAt === null);
      return watch && stop(watch);
    }
    if (step.call === "reopen") {
      // The subscriptions of the object that is closed end with it.
      this.stopAll();
      this.#watches.length = 0;
      return reopen();
    }
    return this.#call(step);
  }

  async #call(step: RaceStep): Promise<void> {
    await this.#client.step(step);
    for (const { judge } of this.#operations.splice(0)) judge(this.#model);
    if (!("runId" in step)) return;
    const run = runOf(this.#model, this.#client.nameOf(step));
    const { hasExpired = false, expiresAtMs = null } = run?.lease ?? {};
    // The model takes a short lease for one that has expired.
    if (run === undefined || hasExpired !== true || typeof expiresAtMs !== "number") return;
    const { runId } = run.record;
    await untilExpired(this.#stores.next(), { runId, leaseExpiresAtMs: expiresAtMs });
  }

  async #subscribe({ to, ...run }: Extract<ProgramStep, { call: "subscribe" }>): Promise<void> {
    const name = this.#client.nameOf(run);
    const subject = to === "run" ? name : { ownerId: name.ownerId };
    const counter = countNotifications(this.#stores.next(), subject);
    await counter.ready;
    this.#watches.push({ name: nameKey(subject), counter, silentAt: null });
  }

  async #probe(): Promise<void> {
    // Both times come from one store object: where an engine has no clock, two objects differ by some milliseconds.
    const store = this.#stores.next();
    const beforeMs = await storeNow(store);
    const probedMs = await store.probe();
    const afterMs = await storeNow(store);
    const isBetween = Number.isInteger(probedMs) && probedMs >= beforeMs && probedMs <= afterMs;
    assert(
      isBetween,
      `a probe answers a time from ${beforeMs} to ${afterMs} in milliseconds, got ${probedMs}`,
    );
  }
}

/** A store of which each call goes through the next object. */
function eachThrough(next: () => KitStore): KitStore {
  return new Proxy({} as KitStore, { get: (_, name) => Reflect.get(next(), name) as unknown });
}

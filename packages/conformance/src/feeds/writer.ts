import type { RunEventStore } from "@tm/run-events-core/store";
import { append, event } from "../append-request.ts";
import type { OwnTransaction } from "../doors.ts";
import type { Actor } from "./actor.ts";
import type { WriterStep } from "./game.ts";
import type { Moments } from "./moments.ts";

/** The types of the events that leave a run live. */
const APPENDED = { append: "TOKEN", ask: "INPUT_REQUESTED", answer: "INPUT_RECEIVED" } as const;

/** What a writer works on. */
export interface WriterPlace {
  readonly store: RunEventStore;
  /** The prefix of the ids of the game's runs. */
  readonly prefix: string;
  readonly ownerId: string;
  readonly begin: (() => Promise<OwnTransaction>) | null;
  readonly moments: Moments;
}

/** A transaction that is open, and how it goes on. */
interface Held {
  readonly own: OwnTransaction;
  readonly how: "commit" | "rollback";
  /** The run that it ends, `null` if it ends none. */
  readonly ends: string | null;
  turns: number;
}

/** A writer: what it does may be refused, and that is no failure. */
export class FeedWriter implements Actor {
  readonly #place: WriterPlace;
  readonly #steps: readonly WriterStep[];
  #at = 0;
  #held: Held | null = null;

  constructor(place: WriterPlace, steps: readonly WriterStep[]) {
    this.#place = place;
    this.#steps = steps;
  }

  hasNext(): boolean {
    return this.#held !== null || this.#at < this.#steps.length;
  }

  async next(): Promise<void> {
    if (this.#held !== null) return this.#goOn(this.#held);
    const step = this.#steps[this.#at];
    this.#at += 1;
    if (step !== undefined) await this.#take(step);
  }

  async #goOn(held: Held): Promise<void> {
    held.turns -= 1;
    if (held.turns > 0) return;
    this.#held = null;
    const { moments } = this.#place;
    const began = moments.next();
    await held.own.end(held.how);
    if (held.ends !== null && held.how === "commit") moments.ended(held.ends, began);
  }

  async #take(step: WriterStep): Promise<void> {
    const { store, prefix, ownerId } = this.#place;
    if (step.do === "purge") {
      await store.purge({ finishedForMs: 0, limit: 1 });
      return;
    }
    const runId = `${prefix}${step.run}`;
    switch (step.do) {
      case "create":
        await store.createRun({ runId, ownerId, metadata: "null", topic: step.topic });
        return;
      case "append":
      case "ask":
      case "answer":
        await append(store, runId, [event(APPENDED[step.do])]);
        return;
      case "end":
        return this.#end(runId);
      case "delete":
        await store.deleteRun(runId, ownerId);
        return;
      case "hold":
        await this.#hold(step, runId);
    }
  }

  async #end(runId: string): Promise<void> {
    const { store, moments } = this.#place;
    const began = moments.next();
    const { outcome } = await append(store, runId, [event("RUN_COMPLETED")]);
    if (outcome === "appended") moments.ended(runId, began);
  }

  async #hold(step: WriterStep & { readonly do: "hold" }, runId: string): Promise<void> {
    const own = await this.#place.begin?.();
    if (own === undefined) return;
    const { how, turns, ends } = step;
    const eventType = ends ? "RUN_COMPLETED" : "TOKEN";
    try {
      await own.append({ runId, events: [{ eventType }] });
    } catch {
      // The run does not exist, has finished, or its row was changed meanwhile.
      await own.end("rollback");
      return;
    }
    this.#held = { own, how, turns, ends: ends ? runId : null };
  }
}

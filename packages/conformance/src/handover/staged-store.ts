import type { Head, ReadResult, RunEventStore, Subject } from "@tm/run-events-core/store";
import type { Subscription } from "../core-calls.ts";
import { type KitStore, kitStore } from "../kit-store.ts";
import { wrapInner } from "../wrap-store.ts";
import type { NotificationFate } from "./game.ts";
import type { Stage } from "./stage.ts";

/** Everything that a game's store objects show, and the clauses that it breaks. */
export interface Witness {
  /** The last sequence of the run that a store object has acknowledged. */
  acknowledged: number;
  /** Pages as they were handed out, each with its text of then. */
  readonly pages: { readonly page: ReadResult | null; readonly text: string }[];
  /** The fate of the next notification. */
  nextNotification(): NotificationFate;
  /** Records a broken clause. */
  find(clause: string, what: string): void;
}

/** A store object whose answers and notifications come when the stage releases them. */
export interface StagedStore {
  /** Behind core's rules. */
  readonly store: KitStore;
  /** Set before it is closed: from then on its calls may fail. */
  isClosing: boolean;
}

/**
 * Puts a store object on the stage. Calls are made at once; what they answer, `ready` and notifications are held back.
 * @param closes whether `close` closes the store object: else it goes on for the next game
 */
export function createStagedStore(
  store: RunEventStore,
  name: string,
  { stage, witness, closes }: { stage: Stage; witness: Witness; closes: boolean },
): StagedStore {
  const place = { name, stage, witness };
  let isClosed = false;

  /** A call that begins after an acknowledgement sees what was acknowledged. @see clause S10 in `STORE.md` */
  function checkHead(run: Head | null | undefined, acknowledged: number, call: string): void {
    const head = run?.lastSequence ?? null;
    if (head !== null && head >= acknowledged) return;
    witness.find(
      "S10",
      `${call} at ${name} shows the head ${head} after ${acknowledged} was acknowledged`,
    );
  }

  function acknowledge(lastSequence = 0): void {
    witness.acknowledged = Math.max(witness.acknowledged, lastSequence);
  }

  const staged = wrapInner(store, {
    append: (plains) =>
      stage.release(async () => {
        const landings = await store.append(plains);
        for (const landing of landings) acknowledge(landing?.lastSequence);
        return landings;
      }, `append at ${name}`),
    change: (changes) =>
      stage.release(async () => {
        const decided: (number | undefined)[] = [];
        const answers = await store.change(
          changes.map((one, index) => ({
            ...one,
            decide(seen) {
              const decision = one.decide(seen);
              decided[index] = decision.after?.lastSequence;
              return decision;
            },
          })),
        );
        // The last time that it decided is the one that landed.
        for (const lastSequence of decided) acknowledge(lastSequence);
        return answers;
      }, `change at ${name}`),
    read: (queries) =>
      stage.release(
        async () => {
          const { acknowledged } = witness;
          const pages = await store.read(queries);
          for (const page of pages) {
            checkHead(page?.head, acknowledged, "read");
            witness.pages.push({ page, text: JSON.stringify(page) });
          }
          return pages;
        },
        `read after ${queries.map(({ since }) => since).join(", ")} at ${name}`,
      ),
    subscribe: (subject, onNotification) =>
      stageSubscription(store, subject, onNotification, { ...place, isClosed: () => isClosed }),
    async close() {
      if (!closes) return;
      await store.close();
      isClosed = true;
    },
  });
  return { store: kitStore(staged), isClosing: false };
}

/** A subscription whose notifications are held back, or doubled. */
function stageSubscription(
  store: RunEventStore,
  subject: Subject,
  onNotification: Parameters<RunEventStore["subscribe"]>[1],
  {
    name,
    stage,
    witness,
    isClosed,
  }: { name: string; stage: Stage; witness: Witness; isClosed: () => boolean },
): Subscription {
  let isStopped = false;
  const subscription = store.subscribe(subject, (changed) => {
    if (isStopped) witness.find("S13", `a subscription of ${name} notified after it was stopped`);
    else if (isClosed()) witness.find("S18", `a subscription of ${name} notified after close`);
    else notify(changed);
  });

  function notify(changed: string | null): void {
    const fate = witness.nextNotification();
    for (let count = fate === "doubled" ? 2 : 1; count > 0; count--) {
      void stage.turn(`notify at ${name}`).then(() => {
        if (!isStopped && !isClosed()) onNotification(changed);
      });
    }
  }

  const ready = stage.release(() => subscription.ready, `ready at ${name}`);
  // A caller that does not wait for it learns of it from the next read.
  ready.catch(() => {});
  return {
    ready,
    stop() {
      isStopped = true;
      subscription.stop();
    },
  };
}

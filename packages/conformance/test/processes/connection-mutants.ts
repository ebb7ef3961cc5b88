import { RunEventsError } from "@tm/run-events-core";
import { changeAlone, changesEach, mapNotifications, plainAlone } from "../mutants/inner-store.ts";
import type { Faults } from "../mutants/mutant.ts";
import { appendEach, type ProcessFault } from "./process-mutant.ts";

type Members = ConstructorParameters<typeof RunEventsError>[2];

/** Fails with other errors. @param members of the error; `appends` is whether the call was to append events */
function failingWith(members: (appends: boolean) => Members): ProcessFault {
  return failing(({ code, message, cause, ambiguous, retryable }, appends) => {
    const others = { cause, ambiguous, retryable, ...members(appends) };
    return new RunEventsError(code, message, others);
  });
}

function failing(failureOf: (error: RunEventsError, appends: boolean) => Error): ProcessFault {
  return (store) => {
    async function fails<T>(call: Promise<T>, appends = () => false): Promise<T> {
      return call.catch((error: unknown) => {
        throw error instanceof RunEventsError ? failureOf(error, appends()) : error;
      });
    }
    return {
      append: (plains) =>
        fails(store.append(plains), () => plains.some(({ events }) => events.length > 0)),
      ...changesEach((change) => {
        let appends = false;
        const changing = changeAlone(store, {
          ...change,
          decide(seen) {
            const decision = change.decide(seen);
            appends = (decision.events ?? []).length > 0;
            return decision;
          },
        });
        return fails(changing, () => appends);
      }),
      read: (queries) => fails(store.read(queries)),
      list: (query) => fails(store.list(query)),
      probe: () => fails(store.probe()),
    };
  };
}

/** Stores that are whole as long as no connection is lost. */
export const connectionFaults: Faults<ProcessFault> = {
  "S7 never shows that an append may have landed": failingWith((appends) =>
    appends ? { ambiguous: false } : {},
  ),
  "S7 sends an append again by itself, under no key": (store) =>
    appendEach((plain) =>
      plainAlone(store, plain).catch(() => plainAlone(store, { ...plain, idempotencyKey: null })),
    ),
  "S21 never shows that a claim may have been granted": failingWith((appends) =>
    appends ? {} : { ambiguous: false },
  ),
  "S13 notifies no more once its connection was lost": (store, { engine }) =>
    mapNotifications(store, (runId) => (engine.isLost() ? undefined : runId)),
  "S20 throws the error of a lost connection unchanged": failing(({ cause }) => cause as Error),
  "S20 shows a lost connection as not retryable": failingWith(() => ({ retryable: false })),
  "S20 hides the cause of a lost connection": failingWith(() => ({ cause: undefined })),
  "S20 shows a failed read as ambiguous": failingWith(() => ({ ambiguous: true })),
};

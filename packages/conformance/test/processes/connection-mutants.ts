import type { Plain } from "@tm/run-events-core/store";
import { RunEventsError } from "@tm/run-events-core";
import { type LossManner, WHOLE } from "./remote-store.ts";

/** A store that does something wrong with lost connections. */
export interface ConnectionMutant {
  /** What it does. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  readonly manner: Partial<LossManner>;
}

/** Stores that are whole as long as no connection is lost. */
export const connectionMutants: readonly ConnectionMutant[] = [
  {
    name: "never shows that an append may have landed",
    clause: "S7",
    manner: { isAmbiguous: (call) => call !== "append" && WHOLE.isAmbiguous(call) },
  },
  {
    name: "sends an append again by itself, under no key",
    clause: "S7",
    manner: {
      sentAgain: (call, args) =>
        call === "append"
          ? [(args[0] as readonly Plain[]).map((one) => ({ ...one, idempotencyKey: null }))]
          : null,
    },
  },
  {
    name: "never shows that a claim may have been granted",
    clause: "S21",
    manner: { isAmbiguous: (call) => call !== "commit" && WHOLE.isAmbiguous(call) },
  },
  {
    name: "notifies no more once its connection was lost",
    clause: "S13",
    manner: { subscribesAgain: false },
  },
  {
    name: "throws the error of a lost connection unchanged",
    clause: "S20",
    manner: { failureOf: ({ cause }) => cause as Error },
  },
  {
    name: "shows a lost connection as not retryable",
    clause: "S20",
    manner: {
      failureOf: ({ message, cause, ambiguous }) =>
        new RunEventsError("store_unavailable", message, { cause, ambiguous, retryable: false }),
    },
  },
  {
    name: "hides the cause of a lost connection",
    clause: "S20",
    manner: {
      failureOf: ({ message, ambiguous }) =>
        new RunEventsError("store_unavailable", message, { ambiguous }),
    },
  },
  {
    name: "shows a failed read as ambiguous",
    clause: "S20",
    manner: { isAmbiguous: () => true },
  },
];

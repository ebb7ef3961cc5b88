import { RunEventsError } from "@tm/run-events-core";
import type { LossManner } from "./remote-store.ts";

/** A store that does something wrong with lost connections. */
export interface ConnectionMutant {
  /** What it does. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  readonly manner: Partial<LossManner>;
}

/** The error with other members. */
function failureWith(
  { message, cause, ambiguous, retryable }: RunEventsError,
  members: { readonly ambiguous?: boolean; readonly retryable?: boolean; readonly cause?: unknown },
): RunEventsError {
  return new RunEventsError("store_unavailable", message, {
    cause,
    ambiguous,
    retryable,
    ...members,
  });
}

/** Stores that are whole as long as no connection is lost. */
export const connectionMutants: readonly ConnectionMutant[] = [
  {
    name: "never shows that an append may have landed",
    clause: "S7",
    manner: {
      failureOf: (error, appends) => (appends ? failureWith(error, { ambiguous: false }) : error),
    },
  },
  {
    name: "sends an append again by itself, under no key",
    clause: "S7",
    manner: { writesAgain: true },
  },
  {
    name: "never shows that a claim may have been granted",
    clause: "S21",
    manner: {
      failureOf: (error, appends) => (appends ? error : failureWith(error, { ambiguous: false })),
    },
  },
  {
    name: "notifies no more once its connection was lost",
    clause: "S13",
    manner: { notifiesAgain: false },
  },
  {
    name: "throws the error of a lost connection unchanged",
    clause: "S20",
    manner: { failureOf: ({ cause }) => cause as Error },
  },
  {
    name: "shows a lost connection as not retryable",
    clause: "S20",
    manner: { failureOf: (error) => failureWith(error, { retryable: false }) },
  },
  {
    name: "hides the cause of a lost connection",
    clause: "S20",
    manner: { failureOf: (error) => failureWith(error, { cause: undefined }) },
  },
  {
    name: "shows a failed read as ambiguous",
    clause: "S20",
    manner: { failureOf: (error) => failureWith(error, { ambiguous: true }) },
  },
];

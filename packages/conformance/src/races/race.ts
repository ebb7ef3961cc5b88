import type { DueKind, DueLimit } from "../core-calls.ts";
import type { Length } from "../model/judge-lease.ts";

/** A race of several clients, as plain data: it can be printed, made smaller and run again. */
export interface Race {
  /** The steps of the first client before the others begin. */
  readonly prefix: readonly RaceStep[];
  /** The steps of each other client after that. */
  readonly branches: readonly (readonly RaceStep[])[];
}

/** The ids of the runs that a race is about, without its prefix. */
export const RUN_IDS = ["a", "b", "c", "d", "e"] as const;

/** One call of a client, or some turns in which it makes none. A client names the fences and heads that it was shown last. */
export type RaceStep =
  | {
      readonly call: "createRun";
      readonly runId: string;
      readonly ownerId: string;
      readonly topic: string | null;
      readonly exclusive: boolean;
      /** The claim that is part of the creation. */
      readonly claim: RaceClaim | null;
    }
  | { readonly call: "append"; readonly requests: readonly RaceAppend[] }
  | {
      readonly call: "read";
      readonly runId: string;
      readonly from: "start" | "seen";
      readonly limit: number;
    }
  | ({ readonly call: "claim"; readonly runId: string } & RaceClaim)
  | { readonly call: "getRun" | "renew" | "release" | "deleteRun"; readonly runId: string }
  | {
      /** Ends the run if it waits for this. */
      readonly call: "endDue";
      readonly runId: string;
      readonly kind: DueLimit["kind"];
    }
  | {
      /** Lists the runs that wait for this. */
      readonly call: "listDue";
      readonly due: DueKind;
    }
  | { readonly call: "purge"; readonly limit: number }
  | {
      readonly call: "listRuns";
      readonly topic: string | null;
      readonly runStatus: "live" | "running" | "cancelled" | null;
    }
  | { readonly call: "pause"; readonly turns: number };

/** A claim of a race. */
export interface RaceClaim {
  /** `own`: one that no other claim has. */
  readonly claimKey: string | null;
  /** `short`: the lease has expired when the step is over. Only before the others begin, since no other client knows when it expires. */
  readonly length: Length;
}

/** One request of an append. */
export interface RaceAppend {
  readonly runId: string;
  readonly eventTypes: readonly string[];
  /** A key that others use too, with events of its own; `own`: one that no other append has. */
  readonly key: string | null;
  readonly expected: "seen" | number | null;
  readonly by: "anybody" | "worker" | "owner" | "input";
}

/** The owner of all runs but some that are created. */
export const LISTED_OWNER = "ada";

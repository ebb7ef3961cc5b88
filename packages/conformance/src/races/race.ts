import type { NewEvent, OwnerQuery } from "@tm/run-events-core/store";
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

/** A run that a step is about. */
export interface RaceRun {
  readonly runId: string;
  /** Default {@link LISTED_OWNER}. */
  readonly ownerId?: string;
}

/** One call of a client, or some turns in which it makes none. A client names the fences and heads that it was shown last. */
export type RaceStep =
  | (RaceRun & {
      readonly call: "createRun";
      readonly topic: string | null;
      readonly exclusive: boolean;
      /** The claim that is part of the creation. */
      readonly claim: RaceClaim | null;
      /** Default: one that no other run has. */
      readonly metadata?: string;
    })
  | { readonly call: "append"; readonly requests: readonly RaceAppend[] }
  | { readonly call: "read"; readonly queries: readonly RaceQuery[] }
  | ({ readonly call: "claim" } & RaceRun & RaceClaim)
  | ({ readonly call: "getRun" } & RaceRun)
  | ({ readonly call: "deleteRun" } & RaceRun)
  | ({ readonly call: "renew"; readonly length: Length } & RaceRun & RaceFence)
  | ({ readonly call: "release" } & RaceRun & RaceFence)
  | (RaceRun & {
      /** Ends the run if it waits for this. */
      readonly call: "endDue";
      readonly kind: DueLimit["kind"];
      /** The least age of the runs. */
      readonly age: "any" | "long";
    })
  | {
      /** Lists the runs that wait for this. */
      readonly call: "listDue";
      readonly due: DueKind;
      readonly limit?: number;
    }
  | { readonly call: "purge"; readonly limit: number }
  | {
      readonly call: "listRuns";
      readonly ownerId?: string;
      readonly topic: string | null;
      readonly runStatus: OwnerQuery["runStatus"];
      /** The number of runs of a page. Default: more than there are. */
      readonly limit?: number;
    }
  /** A pause of no turns ends in the next turn of the event loop, which only then sends what core has gathered. */
  | { readonly call: "pause"; readonly turns: number };

/** A claim of a race. */
interface RaceClaim {
  /** `own`: one that no other claim has. */
  readonly claimKey: string | null;
  /** `short`: the lease has expired before the next step. Only where no other client runs, since no other knows when it expires. */
  readonly length: Length;
  readonly worker?: string | null;
}

/** A call under a fence. */
export interface RaceFence {
  /** `last`, which is the default: the last that the client was shown; `late`: one that is over; `next`: one that there is not yet. */
  readonly fence?: "last" | "late" | "next";
}

/** One query of a read. */
interface RaceQuery extends RaceRun {
  /** Counted from the head that the client was shown last. */
  readonly from: "start" | number;
  readonly limit: number;
  readonly maxBytes?: number;
}

/** One request of an append. */
export interface RaceAppend extends RaceRun {
  readonly eventTypes: readonly string[];
  /** Whole events, in place of some of these types. */
  readonly batch?: readonly NewEvent[];
  /** A key that others use too, with events of its own; `own`: one that no other append has. */
  readonly key: string | null;
  readonly expected: "seen" | number | null;
  /** `late`: a worker whose fence is over. */
  readonly by: "anybody" | "worker" | "late" | "owner" | "input";
}

/** The owner of all runs but those of steps that name another. */
export const LISTED_OWNER = "ada";

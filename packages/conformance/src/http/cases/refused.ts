import type { Call } from "../call.ts";
import type { WireRun } from "../wire-run.ts";
import type { WireUser } from "../wire-user.ts";

/** The values that calls are made of: a run of the owner's that no other case uses, and what belongs to it. */
export interface Place {
  readonly owner: WireUser;
  readonly run: WireRun;
  /** The fence of a run that is claimed. */
  readonly fence: number;
  /** When its event 2 landed. */
  readonly at: string;
  /** An id and a topic that no run has. */
  readonly free: string;
}

/** Requests that are refused for one reason, and change nothing. */
export interface Refused {
  /** The problem. Default: 400 `invalid_request`, as for a bad parameter, header or body. @see clause W3 in `WIRE.md` */
  readonly problem?: readonly [status: number, code: string, members?: object];
  /** Whether the run is claimed; default not. */
  readonly isClaimed?: true;
  /** Bodies, headers or queries that are bad. */
  readonly bad: (place: Place) => readonly string[];
  /** The requests that one of them makes. */
  readonly calls: (bad: string, place: Place) => readonly Call[];
}

/** Refused requests, by the names of their cases. */
export type RefusedCases = Readonly<Record<string, Refused>>;

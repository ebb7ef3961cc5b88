import type { StoreCapabilities } from "@tm/run-events-core/store";
import type { Step } from "../concurrent/program.ts";
import type { AppendOperation, LoggedEvent, Operation } from "../history/operation.ts";

/** What a worker does on the parent's word, one answer each. Everything here is fit for JSON. */
export interface WorkerCommands {
  /** Opens a store by the author's module. Comes first. */
  open(input: {
    readonly name: string;
    readonly module: string;
    readonly place: unknown;
    /** The instant 0 of the common clock, in decimal nanoseconds. */
    readonly startedAt: string;
    /** How far the process's own clock is ahead of the machine's. */
    readonly clockAheadMs: number;
  }): Promise<StoreCapabilities>;
  /** Creates runs one after the other, for one owner. */
  create(input: { readonly runIds: readonly string[] }): Promise<readonly CreatedRun[]>;
  runSteps(input: {
    readonly name: string;
    readonly prefix: string;
    readonly steps: readonly Step[];
  }): Promise<readonly Operation[]>;
  /** Starts a subscription. Answers once it is ready. */
  subscribe(input: { readonly runId: string }): Promise<null>;
  /**
   * Reads the subscribed run to its end, and only when notified. Answers the names of its events.
   * @param input.isPatient whether a read that fails for a while is made again
   */
  follow(input: {
    readonly runId: string;
    readonly isPatient: boolean;
  }): Promise<readonly string[]>;
  /** How far `follow` has come. */
  followed(input: null): Promise<Followed>;
  /** Makes one call, once. */
  ask(input: Call): Promise<CallAnswer>;
  /** Makes one call until the store answers it. Answers how it ended. */
  askUntilAnswered(input: Call): Promise<CallAnswer>;
  /** Runs cases of the kit for one process on this store, by their names, in this order. */
  runCases(input: { readonly names: readonly string[] }): Promise<null>;
  /** Appends to the runs until it is stopped, or until the store fails, and reports each call. */
  load(input: {
    readonly name: string;
    readonly runIds: readonly string[];
    readonly manner: LoadManner;
  }): Promise<{ readonly failure: string | null }>;
  stop(input: null): Promise<null>;
  /** Sends appends one after the other, each again and again until its outcome is known. */
  send(input: {
    readonly name: string;
    readonly appends: readonly Sent[];
  }): Promise<readonly Operation[]>;
  /** Sends each creation again twice under its key, and answers with the outcome of each call. */
  startAgain(input: {
    readonly name: string;
    readonly starts: readonly StartedRun[];
  }): Promise<readonly Operation[]>;
  /** Starts another run of each topic, and answers with the outcome of each call. */
  startOthers(input: {
    readonly name: string;
    readonly starts: readonly StartedRun[];
  }): Promise<readonly Operation[]>;
  /** Waits until the lease of each of these runs that is live is over. Their leases were given for the shortest time. */
  awaitExpired(input: { readonly runIds: readonly string[] }): Promise<null>;
  /** Goes on with runs in which workers ask and persons answer, and answers what came of each call. */
  goOnAsking(input: {
    readonly name: string;
    readonly runIds: readonly string[];
  }): Promise<readonly Operation[]>;
  /** Holds such runs against their logs, from all sides. */
  checkDialogues(input: { readonly runIds: readonly string[] }): Promise<null>;
  /** Waits until exactly the runs that no worker has are listed for the upkeep. */
  checkDue(input: DueRuns): Promise<null>;
  /** Ends all of them, and answers what came of each call. */
  endDue(input: { readonly name: string }): Promise<readonly Operation[]>;
  /** `null` where there is no such run. */
  readLogs(input: {
    readonly runIds: readonly string[];
  }): Promise<readonly (readonly LoggedEvent[] | null)[]>;
}

/** How far a follower has come. */
export interface Followed {
  /** How many events it has read. */
  readonly count: number;
  /** Whether it waits for a notification, and none has come. */
  readonly isWaiting: boolean;
}

/** One call about a run. */
export type Call =
  | ({ readonly call: "append" } & Sent)
  | {
      readonly call: "claim";
      readonly runId: string;
      readonly claimKey: string;
      readonly leaseMs: number;
    }
  | { readonly call: PlainCall; readonly runId: string };

/** A call that takes no more than a run's id, or not even that. */
export type PlainCall =
  | "createRun"
  | "read"
  | "getRun"
  | "listRuns"
  | "listDue"
  | "release"
  | "deleteRun"
  | "purge"
  | "probe";

/** The result of a call: its outcome, `answered` if it has none, or how it failed. */
export type CallAnswer =
  | {
      readonly outcome: string;
      /** Of a granted claim. */
      readonly fence?: number;
      /** Of an append that has landed. */
      readonly firstSequence?: number;
    }
  | { readonly outcome: "failed"; readonly failure: CallFailure };

/** How a call failed. */
export interface CallFailure {
  /** `null` if it is no `RunEventsError`. */
  readonly code: string | null;
  readonly ambiguous: boolean;
  readonly retryable: boolean;
  readonly hasCause: boolean;
  /** The error with its causes. */
  readonly text: string;
}

/**
 * Whether a load appends without a lease (`plain`), claims each run first and appends under its fence (`leased`), starts exclusive
 * runs of topics (`starting`), asks under its fence and answers (`asking`), or starts runs and ends those that no worker has (`upkeep`).
 */
export type LoadManner = "plain" | "leased" | "starting" | "asking" | "upkeep";

/** What became of one `createRun`. */
export interface CreatedRun {
  readonly runId: string;
  readonly outcome: string;
  readonly ordinal: number | null;
}

/** An exclusive run of a topic whose creation claims it. */
export interface StartedRun {
  readonly runId: string;
  readonly topic: string;
  readonly leaseMs: number;
}

/** Runs that were started, each with a claim. */
export interface DueRuns {
  readonly runIds: readonly string[];
  /** Those of them whose lease is a long one. */
  readonly kept: readonly string[];
  /** Those of them that no worker has given back. */
  readonly heldOnce: readonly string[];
}

/** An append of plain events under a key. */
export type Sent = Pick<AppendOperation, "runId" | "ids" | "idempotencyKey">;

/** What a worker reports by itself: each append and each call about a lease before it is made, so that it is known if the worker dies in it, and what came. */
export type Report =
  | { readonly begun: readonly Operation[] }
  | { readonly ended: readonly Operation[] };

/** A message of the parent. */
export interface Command {
  readonly id: number;
  readonly command: keyof WorkerCommands;
  readonly input: unknown;
}

/** A message of a worker; the answer 0 when it is ready for commands. */
export type Message =
  | { readonly id: number; readonly answer: unknown }
  | {
      readonly id: number;
      readonly failure: string;
      /** Of the contract, if it was found broken. */
      readonly clause: string | null;
    }
  | { readonly report: Report };

import type { AppendReceipt, RunEvent, RunEventsError, RunStatus } from "@tm/run-events-core";
import type { ConnectionState, FollowState } from "../follow/connection-state.ts";
import type { InputConditions } from "../http/run-calls.ts";
import type { ConnectionOptions } from "../page/page-connection.ts";
import type { EventMap, TypedEvent } from "../typed/event-map.ts";
import type { PayloadSchemas } from "../typed/payload-schema.ts";

/** A value that changes, for any framework: this is what React's `useSyncExternalStore` takes. */
export interface Store<Value> {
  /**
   * Calls the listener after changes, once a frame at most while events arrive.
   * @returns a function that ends the calls
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** The value now. Between two changes it is the same one. */
  readonly getSnapshot: () => Value;
}

/** A run as a page shows it. Each change gives a new object; the parts that did not change stay the same objects. */
export interface RunView<M extends EventMap = EventMap> extends Omit<ConnectionState, "state"> {
  /** The state of the connection. `idle`: there is no run yet, because its id is `null`. */
  readonly state: FollowState | "idle";
  /** The events so far, in order of their sequence without a gap: from the first one, or from where `tail` or `initial` began. */
  readonly events: readonly TypedEvent<M>[];
  /** Whether the run has events before `events`. */
  readonly hasEarlier: boolean;
  /** Whether `loadEarlier` is under way. */
  readonly isLoadingEarlier: boolean;
  /** Whether this page has asked for a cancel. True from the call until the run's end is shown, or the call has failed. */
  readonly isCancelling: boolean;
  /** Why the last `loadEarlier` failed; `null` once it is called again. */
  readonly loadError: RunEventsError | null;
  /** Why the last `cancel` failed; `null` once it is called again. */
  readonly cancelError: RunEventsError | null;
  /**
   * Adds earlier events before the others: as many as `tail`, or 100 without `tail`. A second call while it is under way joins the first
   * one. It does nothing without a subscriber, or if there are no earlier events. Never rejects: `loadError` shows a failure, such as
   * `history_changed` if the log has lost the first event of the view.
   */
  readonly loadEarlier: () => Promise<void>;
  /**
   * Cancels the run. It is tried for 10 s, even if the component is unmounted meanwhile. A second call while it is under way does nothing,
   * and neither does a call after the run has finished. Never rejects: `cancelError` shows a failure.
   * @see clause W13 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly cancel: () => Promise<void>;
  /**
   * Gives the run the user's input: the answer that it waits for, or a word to its worker. It is tried for 10 s under one key, so it lands
   * once, even if the component is unmounted meanwhile. The view shows it as the event `INPUT_RECEIVED`.
   * @param payload any JSON value
   * @param options.idempotencyKey the same key with the same payload lands once. Default: a new UUID for each call
   * @param options.expectedSequence names the question: the `cursor` of the view when it showed that the run waits. If anything has come since,
   * such as another answer, this one is refused
   * @throws RunEventsError `not_found`, also without a run; `run_finished`, `sequence_conflict`, `idempotency_key_reused`, `invalid_event`,
   * `payload_too_large`, `store_unavailable`
   * @see clauses W38 and W39 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly input: (payload?: unknown, options?: InputConditions) => Promise<AppendReceipt>;
}

/**
 * The part of a run that a page has before it reads the run, such as the part that its server rendered. A page of `createClient().events` or of core's
 * `read` is such a value.
 */
export interface InitialRun {
  /** In order of their sequence, without a gap. */
  readonly events: readonly RunEvent[];
  /** The run's status: terminal or `waiting` only if these events reach the end of the log. */
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  /** The sequence of the log's last event. */
  readonly lastSequence: number;
  /**
   * The sequence before the first of the events.
   * @defaultValue the one before the first event; 0 without events
   */
  readonly since?: number | undefined;
}

/** Where the server is, for which user the run is shown, and how its events are folded. */
export interface FoldOptions<M extends EventMap = EventMap> extends ConnectionOptions {
  /**
   * Schemas that check payloads, as `followRun` does. An event that does not fit fails this view alone. The schemas of the first call
   * for a run count.
   */
  readonly schemas?: PayloadSchemas<M> | undefined;
  /**
   * The events that you already have, such as a page of `read`. The first view shows its events, and reading goes on after the last of them.
   * If the log has lost this event meanwhile, the view fails with `history_changed`. The value of the first call for a run counts.
   * @defaultValue none: the first view has no events
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly initial?: InitialRun | undefined;
}

/** Where the server is, for which user the run is shown, and where its events begin. */
export interface RunOptions<M extends EventMap = EventMap> extends FoldOptions<M> {
  /**
   * Begins this many events before the end, 1 to 1,000. With `initial`, the view begins with its events instead.
   * @defaultValue none: all events
   * @see clause W45 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly tail?: number | undefined;
}

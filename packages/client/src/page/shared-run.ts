import type { AppendReceipt, RunEvent, RunEventsError } from "@tm/run-events-core";
import type { ConnectionState } from "../follow/connection-state.ts";
import { CONNECTING, FollowedRun } from "../follow/followed-run.ts";
import { isOtherEvent } from "../http/is-other-event.ts";
import { CALL_PATIENCE_MS } from "../http/retrying.ts";
import { cancelCall, type InputConditions, inputCall } from "../http/run-calls.ts";
import { createServer, type Server } from "../http/server.ts";
import { toError } from "../http/server-errors.ts";
import type { ConnectionOptions } from "./page-connection.ts";
import { shareBy, Shared } from "./shared.ts";

/** The followed run, its user, and its server. */
export interface SharedRunOptions extends ConnectionOptions {
  readonly runId: string;
}

/** The last event that a reader has: its sequence, and its time if it is known. */
export interface Place {
  readonly since: number;
  readonly at: string | undefined;
}

/**
 * The run that all views of this page share, if they ask for the same user.
 * @param options where the server is and who asks. Those of the first view decide
 */
export function shareRun(options: SharedRunOptions): SharedRun {
  return shareBy(options, options.runId, () => new SharedRun(options));
}

/** A run that any number of views show. It is followed from the first `follow`, and has the events after its place. */
export class SharedRun extends Shared<() => void, FollowedRun> {
  declare readonly runId: string;
  #start: Place | null = null;
  #part: FollowedRun | null = null;
  readonly #events: RunEvent[] = [];
  #isCancelling = false;
  #cancelError: RunEventsError | null = null;

  constructor(options: SharedRunOptions) {
    super(options, options.runId);
  }

  get connection(): ConnectionState {
    return this.#part?.connection ?? CONNECTING;
  }

  /** @throws TypeError if the credential cannot be sent, or if `basePath` is not a path */
  get server(): Server {
    return createServer(this.options);
  }

  /** The sequence before its first event. */
  get start(): number {
    return this.#start?.since ?? 0;
  }

  /** The sequence of its last event; `start` before the first one. */
  get cursor(): number {
    return this.start + this.#events.length;
  }

  /** Whether a cancel was asked for and has not failed. */
  get isCancelling(): boolean {
    return this.#isCancelling;
  }

  /** Why the last cancel failed. */
  get cancelError(): RunEventsError | null {
    return this.#cancelError;
  }

  /**
   * Follows the run after this event, unless it is followed already.
   * @throws RunEventsError `not_found` if no run can have the id
   */
  follow(place: Place): void {
    if (this.#part !== null) return;
    this.#start = place;
    this.#part = new FollowedRun(this.runId, place, {
      onEvents: (events) => {
        this.#events.push(...events);
        this.changeSoon();
      },
      onState: this.changeSoon,
    });
    this.connect(this.#part, this.signal);
  }

  /** The events after a sequence that is not before `start`. The array is the caller's. */
  after(sequence: number): readonly RunEvent[] {
    return this.#events.slice(sequence - this.start);
  }

  /** Whether a view has read another log: the shared one has another event in place of the view's last one, or lacks it. */
  isOtherLog({ since, at }: Place): boolean {
    const isMissing = this.cursor < since && this.connection.state === "finished";
    return isMissing || isOtherEvent(at, this.timeAt(since));
  }

  /** Cancels the run. Goes on even if the run is left meanwhile, because a user has asked for it. Never rejects. */
  async cancel(): Promise<void> {
    if (this.#isCancelling) return;
    this.#isCancelling = true;
    this.#cancelError = null;
    this.onChange();
    try {
      await this.server.ask(cancelCall(this.runId), { patienceMs: CALL_PATIENCE_MS });
    } catch (error) {
      this.#isCancelling = false;
      this.#cancelError = toError(error);
      this.onChange();
    }
  }

  /**
   * Gives the run an input. Goes on even if the run is left meanwhile.
   * @throws RunEventsError the reason why it has not landed
   */
  async input(payload: unknown, options: InputConditions = {}): Promise<AppendReceipt> {
    const call = inputCall(this.runId, payload, options);
    return this.server.ask(call, { patienceMs: CALL_PATIENCE_MS });
  }

  protected override onChange(): void {
    for (const listener of this.views) listener();
  }

  /**
   * The time of the event with this sequence, if it is known. For `start`, this is the time of the place.
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  timeAt(sequence: number): string | undefined {
    const index = sequence - this.start - 1;
    return index < 0 ? this.#start?.at : this.#events[index]?.createdAt;
  }
}

import type { AppendReceipt, RunEvent, RunEventsError, RunEventsPage } from "@tm/run-events-core";
import { askServer } from "../http/ask-server.ts";
import { type Range, readRange } from "../http/read-range.ts";
import { CALL_PATIENCE_MS, type Patience } from "../http/retrying.ts";
import {
  type Call,
  cancelCall,
  type InputConditions,
  inputCall,
  pageCall,
} from "../http/run-calls.ts";
import { createServer } from "../http/server.ts";
import { toError } from "../http/server-errors.ts";
import { type ConnectionOptions, connectionFor, shareKey } from "./page-connection.ts";
import { type Place, RunCell } from "./run-cell.ts";
import { shareBy, Shared } from "./shared.ts";

/** The followed run, its user, and its server. */
export interface SharedRunOptions extends ConnectionOptions {
  readonly runId: string;
}

/** The last events of a run. @see clause W45 in `WIRE.md` */
export type TailPage = RunEventsPage & { readonly since: number };

/**
 * The run that all views of this page share, if they ask for the same user.
 * @param options where the server is and who asks. Those of the first view decide
 */
export function shareRun(options: SharedRunOptions): SharedRun {
  return shareBy(shareKey(options, options.runId), (key) => new SharedRun(key, options));
}

/** A run that any number of views show. It is followed from the first `follow`. */
export class SharedRun extends Shared<() => void> {
  readonly #options: SharedRunOptions;
  #cell: RunCell | null = null;
  #isRefused = false;
  #tails = new Map<number, Promise<TailPage>>();
  #isCancelling = false;
  #cancelError: RunEventsError | null = null;

  constructor(key: string, options: SharedRunOptions) {
    super(key);
    this.#options = options;
  }

  get hasFailed(): boolean {
    return this.#isRefused || this.#cell?.connection.state === "failed";
  }

  /** The events read so far; `null` before `follow`. */
  get cell(): RunCell | null {
    return this.#cell;
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
   * Follows the run, unless it is followed already.
   * @param place where to begin
   */
  follow(place: Place): RunCell {
    if (this.#cell !== null) return this.#cell;
    const { runId } = this.#options;
    this.#cell = new RunCell(runId, place, () => this.#notify());
    connectionFor(this.#options, runId).follow(this.#cell, this.signal);
    return this.#cell;
  }

  /**
   * Reads the last events. Views that ask at the same time share a request.
   * @throws what waiting cannot cure
   */
  async readTail(tail: number, onRetry: (error: RunEventsError) => void): Promise<TailPage> {
    const { runId } = this.#options;
    const call = pageCall(runId, { tail, limit: tail, wait: 0 });
    const asked =
      this.#tails.get(tail) ?? this.#ask<TailPage>(call, { signal: this.signal, onRetry });
    this.#tails.set(tail, asked);
    try {
      return await asked;
    } catch (error) {
      this.#isRefused = true;
      throw error;
    } finally {
      this.#tails.delete(tail);
    }
  }

  /** Reads events that the log has already. */
  readRange(
    range: Omit<Range, "runId">,
    how: Omit<Patience, "signal">,
  ): AsyncGenerator<readonly RunEvent[], void, undefined> {
    const { runId } = this.#options;
    const patience = { ...how, signal: this.signal };
    return readRange(createServer(this.#options), { runId, ...range }, patience);
  }

  /**
   * Asks the server whether the log still has a view's last event.
   * @throws RunEventsError `history_changed` if it has not, and what waiting cannot cure
   */
  async check(place: Place, onRetry: (error: RunEventsError) => void): Promise<void> {
    const call = pageCall(this.#options.runId, { ...place, limit: 1, wait: 0 });
    await this.#ask(call, { signal: this.signal, onRetry });
  }

  /** Cancels the run. Goes on even if the run is left meanwhile, because a user has asked for it. Never rejects. */
  async cancel(): Promise<void> {
    if (this.#isCancelling) return;
    this.#isCancelling = true;
    this.#cancelError = null;
    this.#notify();
    try {
      await this.#ask(cancelCall(this.#options.runId), { patienceMs: CALL_PATIENCE_MS });
    } catch (error) {
      this.#isCancelling = false;
      this.#cancelError = toError(error);
      this.#notify();
    }
  }

  /**
   * Gives the run an input. Goes on even if the run is left meanwhile.
   * @throws RunEventsError the reason why it has not landed
   */
  async input(payload: unknown, options: InputConditions = {}): Promise<AppendReceipt> {
    const call = inputCall(this.#options.runId, payload, options);
    return this.#ask(call, { patienceMs: CALL_PATIENCE_MS });
  }

  async #ask<T>(call: Call, patience: Patience): Promise<T> {
    return askServer<T>(this.#options, call, patience);
  }

  #notify(): void {
    for (const listener of this.views) listener();
  }
}

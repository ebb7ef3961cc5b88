import type { WorkAppendOptions } from "../log/run-log.ts";
import { isRefusal, isStoreClosed } from "../rules/errors.ts";
import type { FailurePayload } from "../rules/failure.ts";
import { checkLanding } from "../rules/history.ts";
import {
  changeBy,
  checkDraft,
  checkDrafts,
  INPUT_REQUESTED,
  isTerminal,
  sealDraft,
  type SealedDraft,
} from "../rules/lifecycle.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { Subscription } from "../store/store.ts";
import { persist } from "../time/persist.ts";
import { createEmitQueue, type EmitQueue } from "./emit-queue.ts";
import { errorPayload } from "./failure-payload.ts";
import { type HeldLease, holdLease, type HoldOptions } from "./hold-lease.ts";
import { isStoreAway, leaseOver, runParked } from "./work-failures.ts";
import { RunInputs } from "./run-inputs.ts";
import type { ClaimedRun, RunAccess } from "./run-access.ts";
import { advanceWork, type WorkEvent, type WorkState, WORKING } from "./work-state.ts";
import type { WorkOptions } from "./work-options.ts";
import type { WorkedRun } from "./worked-run.ts";

/**
 * One worker on one run that it has claimed. The table of `advanceWork` has its states. The worker acts on them:
 *
 * - Once its state is over, it stops its renewals and its subscription. If the run is `lost`, `signal` also aborts.
 * - A shutdown aborts `signal` and changes no state: the task may still write.
 * - An emitted event that cannot be appended aborts `signal`, and later events are refused.
 */
export class Worker {
  readonly #access: RunAccess;
  readonly #claim: ClaimedRun;
  readonly #shutdown: AbortSignal;
  readonly #options: WorkOptions;
  readonly #controller = new AbortController();
  readonly #queue: EmitQueue;
  readonly #lease: HeldLease;
  readonly #subscription: Subscription;
  /** Aborts when the worker has to stop, and when its work is over in any way. */
  readonly #stopped = new AbortController();
  readonly #inputs: RunInputs;
  #state: WorkState = WORKING;
  #isParking = false;
  /** The last sequence that the worker knows of. */
  #lastSequence: number;
  #landings = 0;

  /** Keeps the lease and watches the run until `work` is over. */
  constructor(
    access: RunAccess,
    claim: ClaimedRun & Pick<HoldOptions, "leaseMs" | "sentAtMs">,
    shutdown: AbortSignal,
    options: WorkOptions,
  ) {
    const { clock, limits } = access;
    const { runId } = claim;
    const { merge: merges, mergeMs: gatherMs = 0 } = options;
    this.#access = access;
    this.#claim = claim;
    this.#shutdown = shutdown;
    this.#options = options;
    this.#queue = createEmitQueue(
      (drafts) => this.#insist(drafts),
      (reason) => this.#controller.abort(reason),
      { maxEvents: limits.maxBatchEvents, merges, gatherMs, clock },
    );
    this.#lastSequence = claim.lastSequence;
    const { signal } = this.#controller;
    signal.addEventListener("abort", () => this.#stopped.abort(signal.reason), { once: true });
    this.#inputs = new RunInputs({
      access,
      runId,
      request: (draft) => this.#queue.ask(() => this.#append([draft])),
      onEnd: (reason) => this.#advance({ type: "found", reason }),
      claimed: { since: claim.lastSequence, at: claim.at },
      stopped: this.#stopped.signal,
    });
    this.#subscription = access.watchEnd(runId, {
      landings: () => this.#landings,
      gatherMs,
      onEnd: (reason) => this.#advance({ type: "found", reason }),
    });
    this.#lease = holdLease({
      ...claim,
      clock,
      renew: async () => access.renew(runId, claim.fence, claim.leaseMs),
      onLost: (refusal) => this.#advance({ type: "found", reason: refusal ?? leaseOver() }),
    });
  }

  get state(): WorkState {
    return this.#state;
  }

  /** Calls the task, and ends the run after all events of the task. Call it once. */
  async work<Value>(task: (run: WorkedRun) => Value | Promise<Value>): Promise<Value> {
    const shutdown = this.#shutdown;
    const shutDown = (): void => this.#controller.abort(shutdown.reason);
    shutdown.addEventListener("abort", shutDown);
    try {
      // A first check that hangs delays neither a shutdown nor the end of the lease.
      const stopped = new Promise((resolve) =>
        this.#controller.signal.addEventListener("abort", resolve),
      );
      await Promise.race([this.#subscription.ready, stopped]);
      this.#check();
      shutdown.throwIfAborted();
      const value = await task(this.#open());
      // A model's stream ends silently when its signal aborts: what such a task returns may be half an answer.
      const isDown = shutdown.aborted;
      await this.#queue.ask(async () => {
        if (this.#state.at === "parked") return;
        if (this.#state.at !== "ended" && isDown) throw shutdown.reason;
        await this.#end("RUN_COMPLETED", value);
      });
      return value;
    } catch (error) {
      return await this.#queue.ask(() => this.#giveUp(error), true);
    } finally {
      this.#advance({ type: "left" });
      shutdown.removeEventListener("abort", shutDown);
    }
  }

  #open(): WorkedRun {
    const { runId, fence, lastSequence } = this.#claim;
    const append: WorkedRun["append"] = async (events, options) => {
      this.#checkOpen();
      checkDrafts(events);
      const drafts = events.map(sealDraft);
      return this.#queue.ask(() => this.#append(drafts, options));
    };
    return {
      runId,
      fence,
      lastSequence,
      signal: this.#controller.signal,
      append,
      emit: (eventType, payload) => {
        const room = this.#emit(eventType, payload);
        // A task that does not await it learns of a failure from `signal`.
        room.catch(() => {});
        return room;
      },
      flush: async () => this.#queue.ask(async () => this.#checkOpen()),
      phase: (name) => append([{ eventType: "PHASE_STARTED", payload: { phase: name } }]),
      inputs: ({ since } = {}) => this.#inputs.iterate(since),
      ask: async (payload, { signal } = {}) => {
        this.#checkOpen();
        return this.#inputs.ask(sealDraft({ eventType: INPUT_REQUESTED, payload }), signal);
      },
      park: async () => {
        this.#checkOpen();
        this.#inputs.checkAnswered();
        this.#isParking = true;
        return this.#queue.ask(() => this.#park());
      },
      complete: (value) => append([{ eventType: "RUN_COMPLETED", payload: value }]),
    };
  }

  #advance(event: WorkEvent): void {
    const before = this.#state;
    this.#state = advanceWork(before, event);
    if (!("reason" in this.#state) || this.#state === before) return;
    this.#lease.stop();
    this.#subscription.stop();
    if (this.#state.at === "lost") this.#controller.abort(this.#state.reason);
    this.#stopped.abort(this.#state.reason);
  }

  /** @throws the reason why the worker may not write to the run any more */
  #check(): void {
    if (this.#lease.isOver()) this.#advance({ type: "found", reason: leaseOver() });
    if ("reason" in this.#state) throw this.#state.reason;
  }

  /** @throws the same, also for a task that has parked the run */
  #checkOpen(): void {
    this.#check();
    if (this.#isParking) throw runParked();
  }

  async #emit(eventType: string, payload: unknown): Promise<void> {
    try {
      this.#checkOpen();
      const draft = sealDraft({ eventType, payload });
      checkDraft(draft, this.#access.limits);
      await this.#queue.emit(draft);
    } catch (error) {
      this.#queue.refuse(error);
      throw error;
    }
  }

  async #append(
    drafts: readonly SealedDraft[],
    options: WorkAppendOptions = {},
  ): Promise<AppendReceipt> {
    try {
      return await this.#send(drafts, options);
    } finally {
      this.#advance({ type: "gave_up" });
    }
  }

  async #send(drafts: readonly SealedDraft[], options: WorkAppendOptions): Promise<AppendReceipt> {
    this.#check();
    const isEnd = drafts.some(({ eventType }) => isTerminal(changeBy(eventType)));
    this.#advance({ type: "sent", isEnd });
    try {
      const { runId, fence } = this.#claim;
      const receipt = await this.#access.append(runId, drafts, { ...options, fence });
      this.#landings += 1;
      this.#lastSequence = checkLanding(receipt, this.#lastSequence);
      this.#advance({ type: "landed", receipt });
      return receipt;
    } catch (error) {
      if (isRefusal(error)) this.#advance({ type: "refused", reason: error });
      throw error;
    }
  }

  /** Sends emitted events, for as long as the lease lasts. */
  async #insist(drafts: readonly SealedDraft[]): Promise<void> {
    try {
      await this.#access.insist(
        (idempotencyKey) => this.#send(drafts, { idempotencyKey }),
        () => this.#shutdown.aborted,
      );
    } finally {
      this.#advance({ type: "gave_up" });
    }
  }

  async #end(eventType: string, payload: unknown): Promise<void> {
    if (this.#state.at !== "ended") await this.#insist([sealDraft({ eventType, payload })]);
  }

  /** Ends the run of a task that threw, or leaves it to another worker. */
  async #giveUp(thrown: unknown): Promise<never> {
    const failure = this.#queue.failure();
    const error = failure === null ? thrown : failure.error;
    if (this.#state.at === "ended" || this.#state.at === "parked") throw error;
    if ("reason" in this.#state) throw this.#state.reason;
    const describe = (): FailurePayload => errorPayload(error, this.#options, this.#access.limits);
    if (this.#shutdown.aborted) {
      if (this.#options.onShutdown === "fail")
        await this.#fail(failure === null ? { reason: "shutdown" } : describe());
      else
        await this.#release(() => true).catch((failed: unknown) => {
          // If the store is away, the lease expires.
          if (isRefusal(failed)) throw failed;
        });
      throw failure === null ? this.#shutdown.reason : error;
    }
    // If the store took no event, the run has not failed. Its lease expires, for another worker or a reaper. A reaper would
    // not find a released run.
    if (isStoreAway(error)) throw error;
    await this.#fail(describe());
    throw error;
  }

  /** Ends the run as failed. If that does not land, its lease expires. */
  async #fail(payload: FailurePayload): Promise<void> {
    await this.#end("RUN_FAILED", payload).catch(() => this.#check());
  }

  /** Releases the run. A renewal that is answered after the release would be refused, so none is made any more. */
  async #park(): Promise<{ readonly parked: true; readonly lastSequence: number }> {
    this.#check();
    this.#lease.stop();
    try {
      await this.#release(() => this.#lease.isOver() || this.#shutdown.aborted);
    } catch (error) {
      this.#advance({ type: "found", reason: error });
      throw error;
    }
    this.#advance({ type: "parked" });
    return { parked: true, lastSequence: this.#lastSequence };
  }

  /**
   * Releases the run, again and again while the store is away.
   * @throws the reason why it was not released. Its lease then expires
   */
  async #release(isEnough: () => boolean): Promise<void> {
    const { runId, fence } = this.#claim;
    await persist(
      async () => this.#access.release(runId, fence),
      this.#access.clock,
      (error) => !isStoreAway(error) || isStoreClosed(error) || isEnough(),
    );
  }
}

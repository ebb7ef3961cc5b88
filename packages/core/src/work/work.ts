import { persist } from "../log/send-again.ts";
import { isRefusal, isStoreClosed, runFenced, runFinished } from "../rules/errors.ts";
import type { EventDraft } from "../rules/event.ts";
import {
  checkDrafts,
  isTerminal,
  planEvents,
  sealDraft,
  type SealedDraft,
  statusAfter,
} from "../rules/lifecycle.ts";
import { checkOptions } from "../rules/owner.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import { holdProcess } from "../time/clock.ts";
import { createEmitQueue } from "./emit-queue.ts";
import { holdLease } from "./hold-lease.ts";
import {
  checkTask,
  isFinished,
  isInDoubt,
  isStoreAway,
  leaseOver,
  messageOf,
} from "./work-failures.ts";
import type { WorkAppendOptions, WorkPort } from "./work-port.ts";

/** How to work on a run. */
export interface WorkOptions {
  /** For how long the run stays the worker's if it is not heard of any more: 1,000 to 3,600,000. Renewed each third of it. */
  readonly leaseMs: number;
  /** Shuts the worker down: its run's `signal` aborts with the reason, and another worker may go on. */
  readonly signal?: AbortSignal | undefined;
}

/** A run that is worked on. All that is given to it lands in the order in which it was given. */
export interface WorkedRun {
  readonly runId: string;
  readonly fence: number;
  /** The sequence of the last event at the claim, 0 if there was none: where to go on from. */
  readonly lastSequence: number;
  /**
   * Aborts when the worker is to stop. The reason says why: a `RunEventsError` `fenced` (the lease is lost) or `run_finished`
   * (somebody else ended the run, as by `cancel`; with `details.runStatus`); why an emitted event was not appended; or the
   * reason of the shutdown, in which case the run is still the worker's to write.
   */
  readonly signal: AbortSignal;
  /**
   * Appends all of the events or none, under the lease.
   * @throws RunEventsError as `RunEvents.append`; once the run is no longer the worker's at once: `fenced` or `run_finished`;
   * why an event emitted before could not be appended
   */
  append(events: readonly EventDraft[], options?: WorkAppendOptions): Promise<AppendReceipt>;
  /**
   * Takes one event of many, such as a token, which need not be waited for: while an append is on its way, what is emitted
   * gathers for the next. Sent again as long as the lease lasts if the store is away. What cannot be appended, such as a payload
   * that is too large, aborts `signal`, and `work` rejects with it.
   * @returns a promise that resolves when there is room for more: at once, unless 1 MiB waits. Whoever never awaits it may
   * have 64 MiB waiting. Its rejection may be ignored
   */
  emit(eventType: string, payload?: unknown): Promise<void>;
  /** Appends `PHASE_STARTED`. @throws as `append` */
  phase(name: string): Promise<AppendReceipt>;
}

/**
 * Works on a run under a lease: claims it, keeps the lease, calls the task, and ends the run behind all that the task has
 * given. `RunEvents.work` says what comes of it.
 * @see S21, S22
 */
export async function runWork<Value>(
  port: WorkPort,
  runId: string,
  options: WorkOptions,
  task: (run: WorkedRun) => Value | Promise<Value>,
): Promise<Value> {
  checkOptions(options, "{ leaseMs }");
  checkTask(task);
  const { leaseMs, signal } = options;
  const shutdowns = [signal, port.closing].filter((one) => one !== undefined);
  for (const one of shutdowns) one.throwIfAborted();
  // A program that works must not end for want of anything else to do.
  const letGo = holdProcess();
  try {
    let sentAtMs = port.clock.now();
    const claim = await port.claim(runId, leaseMs);
    if (port.clock.now() - sentAtMs >= leaseMs) {
      // The answer came late, perhaps because the claim was sent again. The lease may still run: only the store knows.
      sentAtMs = port.clock.now();
      await port.renew(runId, claim.fence, leaseMs);
    }
    return await workUnder(port, runId, { ...claim, leaseMs, sentAtMs }, shutdowns, task);
  } finally {
    letGo();
  }
}

interface Claim {
  readonly fence: number;
  readonly lastSequence: number;
  readonly leaseMs: number;
  readonly sentAtMs: number;
}

async function workUnder<Value>(
  port: WorkPort,
  runId: string,
  { fence, lastSequence, leaseMs, sentAtMs }: Claim,
  shutdowns: readonly AbortSignal[],
  task: (run: WorkedRun) => Value | Promise<Value>,
): Promise<Value> {
  const { clock, limits } = port;
  const controller = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    controller.signal.addEventListener("abort", () => resolve());
  });
  /** Why nothing may be written any more; `null` while the run is this worker's. */
  let over: unknown = null;
  /** Whether this worker has ended the run. */
  let isEnded = false;
  /** Whether an append that ends it is on its way: to find the run ended is no news then, its answer is. */
  let isEnding = false;
  /** Whether an append in doubt is being sent again: a terminal event found meanwhile may be its own. */
  let isEndInDoubt = false;
  let landings = 0;

  const abort = (reason: unknown): void => controller.abort(reason);
  const queue = createEmitQueue(insist, limits.maxBatchEvents, abort);
  const lease = holdLease({
    clock,
    leaseMs,
    sentAtMs,
    renew: async () => port.renew(runId, fence, leaseMs),
    onLost: (refusal) => lose(refusal ?? leaseOver()),
  });
  const watch = port.watchEnd(runId, { landings: () => landings, onEnd: lose });

  function stop(reason: unknown): void {
    over = reason;
    lease.stop();
    watch.stop();
  }

  function lose(reason: unknown): void {
    if (over !== null || ((isEnding || isEndInDoubt) && isFinished(reason))) return;
    stop(reason);
    abort(reason);
  }

  function check(): void {
    if (over === null && lease.isOver()) lose(leaseOver());
    if (over !== null) throw over;
  }

  function shutdown(): AbortSignal | undefined {
    return shutdowns.find((one) => one.aborted);
  }

  function shutDown(): void {
    abort(shutdown()?.reason);
  }

  async function send(
    drafts: readonly SealedDraft[],
    options: WorkAppendOptions = {},
  ): Promise<AppendReceipt> {
    check();
    isEnding = hasEnd(drafts);
    try {
      const receipt = await port.append(runId, drafts, { ...options, fence });
      const { runStatus } = receipt;
      isEnding = false;
      landings += 1;
      if (isTerminal(runStatus)) {
        isEnded = true;
        stop(runFinished(runStatus, receipt.lastSequence));
      }
      return receipt;
    } catch (error) {
      isEnding = false;
      if (isRefusal(error)) lose(error);
      throw error;
    }
  }

  /** Sends emitted events again for as long as the lease lasts, whatever failure the store answers. */
  async function insist(drafts: readonly SealedDraft[]): Promise<void> {
    const idempotencyKey = port.newKey?.();
    const isEnd = hasEnd(drafts);
    const isEnough = (error: unknown): boolean => {
      isEndInDoubt = isEnd && isInDoubt(error);
      const isSafe = idempotencyKey !== undefined || !isInDoubt(error);
      return !isStoreAway(error) || isStoreClosed(error) || !isSafe || shutdown() !== undefined;
    };
    try {
      await persist(async () => send(drafts, { idempotencyKey }), clock, isEnough);
    } finally {
      isEndInDoubt = false;
    }
  }

  async function end(eventType: string, payload: unknown): Promise<void> {
    if (!isEnded) await insist([sealDraft({ eventType, payload })]);
  }

  const run: WorkedRun = {
    runId,
    fence,
    lastSequence,
    signal: controller.signal,
    async append(events, options) {
      check();
      checkDrafts(events);
      const drafts = events.map(sealDraft);
      return queue.ask(() => send(drafts, options));
    },
    emit(eventType, payload) {
      const room = give(eventType, payload);
      // Whoever does not await it is told by `signal`.
      room.catch(() => {});
      return room;
    },
    phase: (name) => run.append([{ eventType: "PHASE_STARTED", payload: { phase: name } }]),
  };

  async function give(eventType: string, payload: unknown): Promise<void> {
    try {
      check();
      const draft = sealDraft({ eventType, payload });
      planEvents([draft], limits);
      await queue.emit(draft);
    } catch (error) {
      queue.refuse(error);
      throw error;
    }
  }

  async function giveUp(thrown: unknown): Promise<never> {
    const failure = queue.failure();
    const error = failure === null ? thrown : failure.error;
    if (isEnded) throw error;
    if (over !== null) throw over;
    const down = shutdown();
    // What the store has not taken is no failure of the run's. Its lease runs out, for another worker or for a reaper: of a run
    // that was given back nobody would know that it waits.
    if (down === undefined && isStoreAway(error)) throw error;
    if (down !== undefined) {
      // Another worker may go on where this one stopped. A lease that is not given back runs out.
      await port.release(runId, fence).catch((refusal: unknown) => {
        if (isRefusal(refusal)) throw refusal;
      });
      throw failure === null ? down.reason : error;
    }
    await end("RUN_FAILED", { message: messageOf(error, limits) }).catch(() => check());
    throw error;
  }

  for (const one of shutdowns) one.addEventListener("abort", shutDown);
  try {
    // A look that hangs keeps neither a shutdown nor the end of the lease waiting.
    await Promise.race([watch.ready, stopped]);
    check();
    for (const one of shutdowns) one.throwIfAborted();
    const value = await task(run);
    await queue.ask(() => end("RUN_COMPLETED", value));
    return value;
  } catch (error) {
    return await queue.ask(() => giveUp(error), true);
  } finally {
    if (over === null) stop(runFenced());
    for (const one of shutdowns) one.removeEventListener("abort", shutDown);
  }
}

function hasEnd(drafts: readonly SealedDraft[]): boolean {
  return drafts.some(({ eventType }) => isTerminal(statusAfter(eventType)));
}

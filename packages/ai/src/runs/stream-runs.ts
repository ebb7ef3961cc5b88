import {
  type EventDraft,
  type RunEvent,
  type RunEvents,
  RunEventsError,
  type RunEventsErrorCode,
  type RunSnapshot,
} from "@tm/run-events-core";
import { requests } from "@tm/run-events-core/wire";
import { checkWorkSettings } from "./check-options.ts";
import { PartJoiner } from "./event-parts.ts";
import { maySucceedLater } from "./insist.ts";
import { Pauses } from "./pauses.ts";

/** The end of a run whose worker has died, as a reaper appends it. */
export const LEASE_EXPIRED: EventDraft = {
  eventType: "RUN_FAILED",
  payload: { reason: "lease_expired" },
};

/** The checks of workers that are under way, by their runs, of each `RunEvents`. */
const CHECKS = new WeakMap<RunEvents, Map<string, Promise<void>>>();

/** Where streams are, and whose they are. */
export interface StreamRunsOptions {
  /** The runs, on any store. Each stream is one of them. */
  readonly runs: RunEvents;
  /**
   * The owner of these streams: one owner never sees the streams of another, and two owners may use the same id. Leave it out if your
   * program itself checks who may read a stream.
   * @defaultValue one owner for all streams of the program
   */
  readonly ownerId?: string;
  /**
   * The time that a producer that died keeps its stream, in milliseconds: 1,000 to 3,600,000. Readers get its end after one and a half times
   * this, at most.
   * @defaultValue 10,000
   */
  readonly leaseMs?: number | undefined;
}

/** The runs that hold the streams of one owner. */
export class StreamRuns {
  readonly runs: RunEvents;
  readonly ownerId: string;
  readonly leaseMs: number;
  readonly #prefix: string;
  /** Whether the options name the owner. */
  readonly #isOwned: boolean;

  /**
   * @param prefix which streams: the same id under another prefix is another stream. It is also the owner, if the options name none
   * @throws TypeError for an `ownerId` that is `undefined`: a missing session must not see the streams of all
   * @throws TypeError for a prefix that no owner can have as its name
   * @throws TypeError for a `leaseMs` that no lease has: readers, too, look for dead producers by it
   */
  constructor(options: StreamRunsOptions, prefix: string) {
    this.runs = options.runs;
    this.#isOwned = "ownerId" in options;
    // An owner that is there, but `undefined`, is refused.
    this.ownerId = this.#isOwned
      ? requests.ownerIdOf({ ...options, ownerId: options.ownerId ?? "" })
      : checkPrefix(prefix);
    this.leaseMs = options.leaseMs ?? 10_000;
    this.#prefix = prefix;
    checkWorkSettings({ leaseMs: this.leaseMs });
  }

  /**
   * The id of a stream's run. It depends on the owner, so a call with the stream id of another owner finds nothing of theirs. An owner with
   * the name of the prefix is not the one owner of all streams.
   */
  async runIdOf(streamId: string): Promise<string> {
    const name = JSON.stringify([this.#prefix, this.#isOwned ? this.ownerId : null, streamId]);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
    const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
    return text.replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
  }

  /**
   * Cancels the run of a stream.
   * @returns `true` if it is cancelled now, `false` if it had ended before, `null` if it does not exist
   */
  async cancel(streamId: string): Promise<boolean | null> {
    const { ownerId } = this;
    const runId = await this.runIdOf(streamId);
    const run = await this.runs.cancel(runId, { ownerId }).catch(returned("not_found"));
    return run instanceof RunEventsError ? null : run.runStatus === "cancelled";
  }

  /** Removes a run that has ended. Another call may have removed it, and made a new one. */
  async remove(runId: string): Promise<void> {
    const { ownerId } = this;
    await this.runs.delete(runId, { ownerId }).catch(returned("not_found", "run_active"));
  }

  /** The run as it is now; `null` if it does not exist. */
  async find(runId: string): Promise<RunSnapshot | null> {
    const { ownerId } = this;
    const run = await this.runs.get(runId, { ownerId }).catch(returned("not_found"));
    return run instanceof RunEventsError ? null : run;
  }

  /**
   * Follows a run as `RunEvents.tail` does, and joins the parts of a value. If the run's worker dies, it ends the run: a program that calls
   * no `reap` has readers, too. While the store is away, it tries again for as long as a lease lasts.
   * @param at the `createdAt` of the event `since`: another run with the same id is refused as `history_changed`
   */
  async *follow(
    runId: string,
    since: number,
    signal: AbortSignal,
    at?: string,
  ): AsyncGenerator<RunEvent, void> {
    const pauses = new Pauses();
    const joiner = new PartJoiner();
    const place = { since, at };
    for (;;) {
      try {
        for await (const event of this.#tail(runId, place, signal)) {
          pauses.reset();
          place.since = event.sequence;
          place.at = event.createdAt;
          const whole = joiner.join(event);
          if (whole !== null) yield whole;
        }
        return;
      } catch (error) {
        const isEnough = pauses.totalMs >= this.leaseMs || signal.aborted;
        if (!maySucceedLater(error) || isEnough) throw error;
      }
      await pauses.next(signal);
    }
  }

  /** The timer runs only while an event is awaited, so a reader that does not read holds no timer. */
  async *#tail(
    runId: string,
    place: { readonly since: number; readonly at: string | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<RunEvent, void> {
    const { ownerId } = this;
    const events = this.runs.tail(runId, { ownerId, ...place, signal })[Symbol.asyncIterator]();
    try {
      for (;;) {
        const timer = setInterval(() => void this.endIfDead(runId), this.leaseMs / 2);
        const { done, value } = await events.next().finally(() => clearInterval(timer));
        if (done === true) return;
        yield value;
      }
    } finally {
      await events.return?.();
    }
  }

  /**
   * Ends a run whose lease has expired, unless it waits for an input. The readers of a process share one check, so that a slow store does
   * not get more and more.
   */
  endIfDead(runId: string): Promise<void> {
    const checks = CHECKS.get(this.runs) ?? new Map<string, Promise<void>>();
    CHECKS.set(this.runs, checks);
    const check = checks.get(runId) ?? this.#endDead(runId).finally(() => checks.delete(runId));
    checks.set(runId, check);
    return check;
  }

  /** The store decides whether the lease has expired: it refuses the claim of a run whose worker lives. */
  async #endDead(runId: string): Promise<void> {
    const { runs, ownerId } = this;
    try {
      const { fence } = await runs.claim(runId, { ownerId, leaseMs: requests.MIN_LEASE_MS });
      const { runStatus } = await runs.get(runId, { ownerId });
      // A run that waits for an input needs no worker.
      if (runStatus === "waiting") await runs.release(runId, fence, { ownerId });
      else await runs.append(runId, [LEASE_EXPIRED], { ownerId, fence });
    } catch {
      // The worker lives, another process was faster, or the store is away: the next turn of the timer asks again.
    }
  }
}

/** @throws TypeError unless it is text that can name an owner */
function checkPrefix(prefix: string): string {
  if (prefix !== "" && prefix.isWellFormed() && !prefix.includes("\0")) return prefix;
  throw new TypeError(
    `Expected \`keyPrefix\` to be well-formed text without U+0000, and not empty, got ${JSON.stringify(prefix)}.`,
  );
}

/** Makes a value of an error with one of these codes. It throws any other. */
export function returned(
  ...codes: readonly RunEventsErrorCode[]
): (error: unknown) => RunEventsError {
  return (error) => {
    if (error instanceof RunEventsError && codes.includes(error.code)) return error;
    throw error;
  };
}

/** Whether the event is the end of a run that did not complete: an error for readers. Otherwise they would take a part for the whole. */
export function cutShort({ eventType, payload, sequence }: RunEvent): RunEventsError | null {
  if (eventType !== "RUN_FAILED" && eventType !== "RUN_CANCELLED") return null;
  const runStatus = eventType === "RUN_FAILED" ? "failed" : "cancelled";
  const reason =
    typeof payload === "object" && payload !== null && "reason" in payload
      ? `, ${String(payload.reason)}`
      : "";
  return new RunEventsError(
    "run_finished",
    `Expected the stream to come to its end, but it was cut short: ${runStatus}${reason}. What you have is a part of it.`,
    { details: { runStatus, lastSequence: sequence } },
  );
}

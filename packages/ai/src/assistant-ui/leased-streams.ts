import { type EventDraft, RunEventsError, type RunSnapshot } from "@tm/run-events-core";
import {
  type ResumableStreamAcquisition,
  ResumableStreamError,
  type ResumableStreamLease,
} from "assistant-stream/resumable";
import { returned, type StreamRuns } from "../runs/stream-runs.ts";
import { produce, type Producer } from "../produce/producer.ts";

const DELETION = { eventType: "RUN_CANCELLED", payload: { reason: "deleted" } };

/** Whether the event is the end of a stream that is deleted. */
export function isDeletion({ eventType, payload }: EventDraft): boolean {
  const { reason } = (payload ?? {}) as { readonly reason?: unknown };
  return eventType === DELETION.eventType && reason === DELETION.payload.reason;
}

/** The streams of a store, and the leases on those that this process produces. */
export class LeasedStreams {
  readonly #streams: StreamRuns;
  readonly #defaultTtlMs: number;
  /** The streams that this process produces, by their runs. */
  readonly #producers = new Map<string, Producer>();
  /** The ids of their runs. Digests may resolve in any order, so an append waits for none, and appends keep the order of the calls. */
  readonly #runIds = new Map<string, string>();

  constructor(streams: StreamRuns, defaultTtlMs: number) {
    this.#streams = streams;
    this.#defaultTtlMs = defaultTtlMs;
  }

  /** @throws ResumableStreamError `invalid-id` for an id that no store of the library takes */
  async runIdOf(streamId: string): Promise<string> {
    if (!/^[A-Za-z0-9_.:-]{1,256}$/.test(streamId)) {
      throw new ResumableStreamError("invalid-id", `Invalid streamId: ${streamId}`);
    }
    return this.#runIds.get(streamId) ?? this.#streams.runIdOf(streamId);
  }

  /** The run of a stream; `null` if it does not exist, or if its time to live has passed since its end. */
  async find(streamId: string): Promise<RunSnapshot | null> {
    const run = await this.#streams.find(await this.runIdOf(streamId));
    const { ttlMs = this.#defaultTtlMs } = (run?.metadata ?? {}) as {
      readonly ttlMs?: number | null;
    };
    // NaN while the run is live: then the time never passes.
    const endedAtMs = Date.parse(run?.finishedAt ?? "");
    // JSON has no Infinity.
    return endedAtMs + (ttlMs ?? Infinity) <= Date.now() ? null : run;
  }

  /** Elects the producer. */
  async acquire(
    streamId: string,
    ttlMs: number = this.#defaultTtlMs,
  ): Promise<ResumableStreamAcquisition> {
    const runId = await this.runIdOf(streamId);
    for (;;) {
      const producer = await produce(this.#streams, runId, { streamId, ttlMs });
      if (!(producer instanceof RunEventsError)) {
        this.#keep(streamId, runId, producer);
        return { role: "producer", lease: { token: String(producer.run.fence) } };
      }
      const isConsumer = producer.code === "claimed" || (await this.find(streamId)) !== null;
      if (isConsumer) return { role: "consumer" };
      await this.#streams.remove(runId);
    }
  }

  #keep(streamId: string, runId: string, producer: Producer): void {
    this.#producers.set(runId, producer);
    this.#runIds.set(streamId, runId);
    void producer.over.then(() => {
      if (this.#producers.get(runId) !== producer) return;
      this.#producers.delete(runId);
      this.#runIds.delete(streamId);
    });
  }

  /** The producer in this process, if the lease is its own, or none is given. */
  own(runId: string, lease: ResumableStreamLease | undefined): Producer | undefined {
    const own = this.#producers.get(runId);
    return lease === undefined || own?.run.fence === Number(lease.token) ? own : undefined;
  }

  /**
   * Makes these appends under the lease. If none is given, under that of the producer in this process, or else that of the run.
   * @returns the refusal, `not_found`, `fenced` or `run_finished`, or `null`
   */
  async write(
    runId: string,
    batches: readonly (readonly EventDraft[])[],
    lease: ResumableStreamLease | undefined,
  ): Promise<RunEventsError | null> {
    const { runs, ownerId } = this.#streams;
    const own = this.own(runId, lease);
    try {
      if (own !== undefined) {
        await own.append(batches);
      } else {
        const fence = Number(lease?.token ?? (await this.#fenceOf(runId)));
        for (const events of batches) await runs.append(runId, events, { ownerId, fence });
      }
      return null;
    } catch (error) {
      return returned("not_found", "fenced", "run_finished")(error);
    }
  }

  /** Translates a refused append for the library: whether the stream is gone, another producer's, or at its end. */
  async refusalOf(
    streamId: string,
    { code }: RunEventsError,
    lease: ResumableStreamLease | undefined,
  ): Promise<ResumableStreamError> {
    if (code === "not_found") return missing(streamId);
    const runId = await this.runIdOf(streamId);
    // It may have been deleted meanwhile.
    const fence = await this.#fenceOf(runId).catch(returned("not_found"));
    if (typeof fence !== "number") return missing(streamId);
    const isOther = lease !== undefined && Number(lease.token) !== fence;
    return isOther || code === "fenced"
      ? new ResumableStreamError("missing", `Stream superseded by a new acquisition: ${streamId}`)
      : new ResumableStreamError("finalized", `Stream already finalized: ${streamId}`);
  }

  /** Ends a stream that is deleted, unless it has ended. Readers may see this end before the stream is gone. */
  async endDeleted(runId: string): Promise<void> {
    const { runs, ownerId } = this.#streams;
    const end = async (): Promise<unknown> =>
      runs.append(runId, [DELETION], { ownerId, fence: await this.#fenceOf(runId) });
    await end().catch(returned("not_found", "fenced", "run_finished"));
    await runs.cancel(runId, { ownerId }).catch(returned("not_found"));
  }

  async #fenceOf(runId: string): Promise<number> {
    const { runs, ownerId } = this.#streams;
    return (await runs.log.getRun(runId, { ownerId })).fence;
  }
}

/** The error of a stream that does not exist, or is another owner's. */
export function missing(streamId: string): ResumableStreamError {
  return new ResumableStreamError("missing", `Stream not found: ${streamId}`);
}

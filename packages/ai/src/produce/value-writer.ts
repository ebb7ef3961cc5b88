import type { EventDraft, RunEvents, WorkedRun } from "@tm/run-events-core";
import { encodeEvents } from "../runs/event-parts.ts";
import { insist } from "../runs/insist.ts";

/** Writes the values of an answer into its run, each as one event, or as several if it is larger than a payload. */
export class ValueWriter {
  readonly #run: WorkedRun;
  readonly #maxPayloadBytes: number;
  #hasDelta = false;

  constructor(run: WorkedRun, { maxPayloadBytes }: RunEvents["log"]["limits"]) {
    this.#run = run;
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /**
   * Writes a value, which waits for others before it is appended. The first token does not wait: it is appended at once, with what waits.
   * @param isDelta whether the value is a piece of a text, such as a token
   */
  async write(eventType: string, value: unknown, isDelta: boolean): Promise<void> {
    await this.#emit(encodeEvents(eventType, value, this.#maxPayloadBytes));
    if (!isDelta || this.#hasDelta) return;
    this.#hasDelta = true;
    await this.#run.flush();
  }

  /** Appends a value at once, with all that waits, and with these events after it. While the store is away, it tries again. */
  async append(eventType: string, value: unknown, ...rest: readonly EventDraft[]): Promise<void> {
    const events = encodeEvents(eventType, value, this.#maxPayloadBytes);
    await this.#emit(events.slice(0, -1));
    await insist(() => this.#run.append([...events.slice(-1), ...rest]), this.#run.signal);
  }

  async #emit(events: readonly EventDraft[]): Promise<void> {
    for (const { eventType, payload } of events) await this.#run.emit(eventType, payload);
  }
}

import { type RunEvents, RunEventsError, type RunSnapshot } from "@tm/run-events-core";
import { setImmediate } from "node:timers/promises";
import { waitUntil } from "../wait-until.ts";

const OWNER = { ownerId: "ada" };

/** A reader of a list, while the store loses what came last. It comes back after each failure. */
export class LostList {
  readonly #current: () => RunEvents;
  readonly #over = new AbortController();
  #list: readonly RunSnapshot[] | null = null;

  constructor(current: () => RunEvents) {
    this.#current = current;
  }

  /** Resolves when it has the list as it is. */
  async begin(): Promise<void> {
    void this.#follow();
    await this.isRight("before the loss");
  }

  /** Resolves once the reader has every run as the store has it. */
  async isRight(when: string): Promise<void> {
    await waitUntil(`a reader has the list as it is ${when}`, async () => {
      const { runs } = await this.#current().list(OWNER);
      return JSON.stringify(runs.map(stateOf)) === JSON.stringify(this.#list?.map(stateOf));
    });
  }

  end(): void {
    this.#over.abort();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        for await (const { runs } of this.#current().watch({ ...OWNER, signal })) this.#list = runs;
      } catch (error) {
        if (!signal.aborted && !(error instanceof RunEventsError)) throw error;
        await setImmediate();
      }
    }
  }
}

function stateOf({ runId, runStatus, lastSequence, updatedAt }: RunSnapshot): readonly unknown[] {
  return [runId, runStatus, lastSequence, updatedAt];
}

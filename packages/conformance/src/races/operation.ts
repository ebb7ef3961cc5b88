import type { StoreModel } from "../model/run-model.ts";

/** A call, or a part of one that takes effect by itself, with its answer. It took effect at one instant between its two times. */
export interface RaceOperation {
  readonly client: string;
  /** What was asked and answered, for a message. */
  readonly text: string;
  readonly begunAt: number;
  readonly endedAt: number;
  /** The part of the same call that has to take effect before it. */
  readonly after: RaceOperation | null;
  /**
   * Compares the answer with the model, which then has what the call did.
   * @throws Error if the model answers otherwise
   */
  readonly judge: (model: StoreModel) => void;
}

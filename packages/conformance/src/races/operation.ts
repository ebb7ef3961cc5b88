import type { RunName, RunRecord } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import type { StoreModel } from "../model/run-model.ts";

/** A call that a client makes. */
export interface Asked {
  /** Whether it may be made again: what it does is under a key. */
  readonly isKeyed: boolean;
  readonly ask: (store: KitStore) => Promise<Answered>;
  /** Its possible effect if it was not answered. */
  readonly unanswered: readonly Part[];
}

/** The answer to a call. */
export interface Answered {
  readonly parts: readonly Part[];
  /** The runs as it shows them. */
  readonly shows: readonly ShownRun[];
}

/** A run as an answer shows it. */
type ShownRun = RunName & Partial<Pick<RunRecord, "lastSequence" | "fence" | "leaseExpiresAtMs">>;

/** A part of a call that takes effect by itself. */
export interface Part {
  /** The answer as text, for a message. */
  readonly text: string;
  readonly runId: string;
  /** The topic whose place it may take. */
  readonly topic?: string | null;
  /**
   * Compares the answer with the model, which then has what the call did.
   * @throws Error if the model answers otherwise
   */
  readonly judge: (model: StoreModel) => void;
  /** Its outcome, if it has one. */
  readonly outcome?: string | undefined;
  /** Whether it takes effect after the part before it. */
  readonly isOrdered?: boolean;
}

/** A part of a call that was made. It took effect at one instant between its two times. */
export interface RaceOperation extends Pick<Part, "text" | "runId" | "topic" | "judge"> {
  readonly client: string;
  readonly asked: Asked;
  readonly begunAt: number;
  /** `Infinity` if it was not answered: it may take effect at any time, or never. */
  readonly endedAt: number;
  /** The part of the same call that has to take effect before it. */
  readonly after: RaceOperation | null;
  /** Its possible first effect if its call was sent twice, and this is the second answer; `null` if it was sent once. */
  readonly judgeFirst: ((model: StoreModel) => void) | null;
}
